-- title: Every staged enrollment and completion is in the facts
-- severity: error
select 'enrollment' as what, s.enrollment_id as which_one, count(*) as rows_missing
from staging.live_enrollment s
where not exists (select 1 from fact_enrollment e where e.enrollment_id = s.enrollment_id)
group by s.enrollment_id
union all
select 'completion', cast(s.learner_key as string) || '/' || cast(s.course_key as string), count(*)
from staging.live_course_completion s
where not exists (select 1 from fact_course_completion f where f.learner_key = s.learner_key and f.course_key = s.course_key)
group by s.learner_key, s.course_key
