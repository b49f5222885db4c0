-- title: Course completions
-- grain: a learner's first completion of a course
-- definition: the roster's completion, else the first completed or passed event of the course itself; days to complete
--   count from the last enrollment up to its day, in days of the date keys; a completion may be dated by its day only
-- materialise: incremental key(learner_key, course_key) window(touched_pair)
with reported as (
  select learner_key, course_key, completed_at, completed_date_key, final_score, grade, passed, source,
    0 as preference, effective_at, load_id, position, cast(null as string) as event_id
  from staging.live_course_completion
  union all
  select learner_key, course_key, occurred_at, date_key, score, cast(null as string),
    case when event_type = 'passed' then true end, source, 1, occurred_at, 0, 0, event_id
  from fact_learning_event
  where event_type in ('completed', 'passed') and activity_type = 'course' and course_key <> 0
),
completions as (
  select r.learner_key, r.course_key, r.completed_at, r.completed_date_key, r.final_score, r.grade, r.passed, r.source
  from reported r
  join touched_pair t on t.learner_key = r.learner_key and t.course_key = r.course_key  -- incremental
  qualify row_number() over (
    partition by r.learner_key, r.course_key
    order by r.preference nulls last, r.completed_at nulls last, r.effective_at desc nulls last, r.load_id desc nulls last, r.position desc nulls last,
      r.event_id nulls last) = 1
),
enrolled as (
  select c.learner_key, c.course_key, max(e.enrolled_date_key) as enrolled_date_key
  from completions c
  join fact_enrollment e on e.learner_key = c.learner_key and e.course_key = c.course_key and e.enrolled_date_key <= c.completed_date_key
  group by c.learner_key, c.course_key
)
select c.learner_key, c.course_key, c.completed_date_key, c.completed_at, c.final_score, c.grade, c.passed,
  cast(lpa_days(lpa_date(e.enrolled_date_key), lpa_date(c.completed_date_key)) as int) as days_to_complete, c.source
from completions c
left join enrolled e on e.learner_key = c.learner_key and e.course_key = c.course_key
