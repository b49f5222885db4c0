-- title: A course on a day
-- grain: a course on a day on which anything happened
-- definition: time on task is the sum of gaps of at most 30 minutes between a learner's events in the course on that day;
--   summed in whole milliseconds, and quantities in nine decimals, so that no order of adding changes them
-- materialise: incremental key(course_key, date_key) window(touched_day)
with timed as (
  select e.course_key, e.date_key, e.learner_key, e.event_type, e.quantity, e.occurred_at,
    lag(e.occurred_at) over (partition by e.course_key, e.date_key, e.learner_key order by e.occurred_at nulls last, e.event_id nulls last) as previous_at
  from fact_learning_event e
  where exists (select 1 from touched_day t where t.course_key = e.course_key and t.date_key = e.date_key)
),
gaps as (
  select course_key, date_key, learner_key, event_type, quantity, lpa_seconds(previous_at, occurred_at) as gap from timed
),
parts as (
  select course_key, date_key, 0 as enrollments, 0 as withdrawals, 0 as completions,
    count(distinct case when event_type not in ('registered', 'unregistered') then learner_key end) as active_learners,
    count(*) as events, sum(cast(quantity as decimal(27, 9))) as event_quantity,
    sum(case when gap <= 1800 then cast(floor(gap * 1000 + 0.5) as bigint) else 0 end) as time_on_task_ms
  from gaps
  group by course_key, date_key
  union all
  select e.course_key, e.enrolled_date_key, count(*), 0, 0, 0, 0, 0, 0
  from fact_enrollment e
  join touched_day t on t.course_key = e.course_key and t.date_key = e.enrolled_date_key
  group by e.course_key, e.enrolled_date_key
  union all
  select e.course_key, e.withdrawn_date_key, 0, count(*), 0, 0, 0, 0, 0
  from fact_enrollment e
  join touched_day t on t.course_key = e.course_key and t.date_key = e.withdrawn_date_key
  group by e.course_key, e.withdrawn_date_key
  union all
  select c.course_key, c.completed_date_key, 0, 0, count(*), 0, 0, 0, 0
  from fact_course_completion c
  join touched_day t on t.course_key = c.course_key and t.date_key = c.completed_date_key
  group by c.course_key, c.completed_date_key
)
select course_key, date_key, cast(sum(enrollments) as bigint) as enrollments, cast(sum(withdrawals) as bigint) as withdrawals,
  cast(sum(completions) as bigint) as completions, cast(sum(active_learners) as bigint) as active_learners,
  cast(sum(events) as bigint) as events, cast(sum(event_quantity) as double) as event_quantity,
  cast(sum(time_on_task_ms) as double) / 1000 as time_on_task_seconds
from parts
group by course_key, date_key
