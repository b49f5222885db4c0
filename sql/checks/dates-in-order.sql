-- title: Nothing ends before it begins
-- severity: warning
select 'withdrawn before enrolled' as what, enrollment_id as which_one, enrolled_at as begins, withdrawn_at as ends
from fact_enrollment
where withdrawn_at < enrolled_at
union all
select 'course ends before it starts', course_id, cast(starts_on as timestamp), cast(ends_on as timestamp)
from course
where ends_on < starts_on
