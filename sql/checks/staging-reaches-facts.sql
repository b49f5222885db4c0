-- title: What was staged is in the facts
-- severity: error
-- definition: Events by day: as many facts as staged, fewer only where the same event was loaded twice, never none;
--   every staged enrollment and completion has its fact.
with events as (
  select t.date_key, sum(t.staged) as staged, sum(t.facts) as facts
  from (
    select date_key, count(*) as staged, 0 as facts
    from staging.stg_learning_event
    group by date_key
    union all
    select date_key, 0, count(*)
    from fact_learning_event
    group by date_key
  ) t
  group by t.date_key
)
select 'events of a day' as what, cast(date_key as string) as which_one, staged, facts
from events
where facts > staged or (facts = 0 and staged > 0)
union all
select 'enrollment', s.enrollment_id, count(*), 0
from staging.live_enrollment s
where not exists (select 1 from fact_enrollment e where e.enrollment_id = s.enrollment_id)
group by s.enrollment_id
union all
select 'completion', cast(s.learner_key as string) || '/' || cast(s.course_key as string), count(*), 0
from staging.live_course_completion s
where not exists (select 1 from fact_course_completion f where f.learner_key = s.learner_key and f.course_key = s.course_key)
group by s.learner_key, s.course_key
