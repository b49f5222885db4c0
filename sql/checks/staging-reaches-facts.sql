-- title: What was staged is in the facts
-- severity: error
-- definition: Every staged event is a fact of its day and id: on the days of the loads to check (those of the batch; of all
--   loads where any check failed when it last ran). Every staged enrollment and completion has its fact.
with day_checked as (
  select distinct date_key
  from staging.stg_learning_event
  where load_id in (select load_id from checked_load)
),
missing as (
  select date_key, event_id from staging.stg_learning_event where date_key in (select date_key from day_checked)
  except
  select date_key, event_id from fact_learning_event where date_key in (select date_key from day_checked)
)
select 'events of a day' as what, cast(date_key as string) as which_one, count(*) as rows_missing
from missing
group by date_key
union all
select 'enrollment', s.enrollment_id, count(*)
from staging.live_enrollment s
where not exists (select 1 from fact_enrollment e where e.enrollment_id = s.enrollment_id)
group by s.enrollment_id
union all
select 'completion', cast(s.learner_key as string) || '/' || cast(s.course_key as string), count(*)
from staging.live_course_completion s
where not exists (select 1 from fact_course_completion f where f.learner_key = s.learner_key and f.course_key = s.course_key)
group by s.learner_key, s.course_key
