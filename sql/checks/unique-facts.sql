-- title: Each enrollment, attempt, completion and course day is there once
-- severity: error
select 'fact_enrollment' as table_name, enrollment_id as what, count(*) as rows_found
from fact_enrollment
group by enrollment_id
having count(*) > 1
union all
select 'fact_enrollment attempt', cast(learner_key as string) || '/' || cast(course_key as string) || '/' || cast(attempt as string), count(*)
from fact_enrollment
group by learner_key, course_key, attempt
having count(*) > 1
union all
select 'fact_course_completion', cast(learner_key as string) || '/' || cast(course_key as string), count(*)
from fact_course_completion
group by learner_key, course_key
having count(*) > 1
union all
select 'agg_course_day', cast(course_key as string) || '/' || cast(date_key as string), count(*)
from agg_course_day
group by course_key, date_key
having count(*) > 1
