-- title: Scores and progress lie between 0 and 1, amounts are not negative
-- severity: error
select 'fact_learning_event' as table_name, event_type as what, count(*) as rows_found
from fact_learning_event
where score not between 0 and 1 or progress not between 0 and 1 or duration_seconds < 0 or quantity < 0
group by event_type
union all
select 'fact_enrollment', enrollment_id, 1
from fact_enrollment
where price_amount < 0 or attempt < 1
union all
select 'fact_course_completion', cast(learner_key as string) || '/' || cast(course_key as string), 1
from fact_course_completion
where final_score not between 0 and 1
