-- title: Nothing ends before it begins
-- severity: warning
-- definition: By day: what is dated by its day only has the time of midnight.
select 'withdrawn before enrolled' as what, enrollment_id as which_one, enrolled_at as begins, withdrawn_at as ends
from fact_enrollment
where withdrawn_date_key < enrolled_date_key
union all
select 'course ends before it starts', course_id, cast(starts_on as timestamp), cast(ends_on as timestamp)
from course
where ends_on < starts_on
