-- title: A course on a day
-- grain: a course on a day on which anything happened
-- definition: active learners have any event except registered and unregistered; time on task is the sum of the gaps
--   between a learner's events in the course that lie inside sessions (metrics.session_gap_minutes), each on the day on
--   which it begins; events of nobody are only counted. Gaps are summed in whole milliseconds, and quantities in nine
--   decimals, so that no order of adding changes them
-- materialise: incremental key(course_key, date_key) window(touched_day)
with timed as (
  select e.course_key, e.date_key, e.learner_key, e.event_type, e.quantity, e.occurred_at,
    lead(e.occurred_at) over (partition by e.course_key, e.learner_key order by e.occurred_at nulls last, e.event_id nulls last) as next_at
  from fact_learning_event e
  -- A gap that begins on a day may end on the next.
  where exists (  -- incremental
    select 1  -- incremental
    from (  -- incremental
      select course_key, date_key from touched_day  -- incremental
      union  -- incremental
      select course_key, lpa_date_key(lpa_add_days(lpa_date(date_key), 1)) from touched_day  -- incremental
    ) r  -- incremental
    where r.course_key = e.course_key and r.date_key = e.date_key)  -- incremental
),
gaps as (
  select g.course_key, g.date_key, g.learner_key, g.event_type, g.quantity,
    case when g.learner_key <> 0 and lpa_seconds(g.occurred_at, g.next_at) <= s.gap_seconds then lpa_seconds(g.occurred_at, g.next_at) else 0 end as gap
  from timed g
  cross join configured_session s
  where exists (select 1 from touched_day t where t.course_key = g.course_key and t.date_key = g.date_key)  -- incremental
),
parts as (
  select course_key, date_key, 0 as enrollments, 0 as withdrawals, 0 as completions,
    count(distinct case when learner_key <> 0 and event_type not in ('registered', 'unregistered') then learner_key end) as active_learners,
    count(*) as events, sum(cast(quantity as decimal(27, 9))) as event_quantity,
    sum(cast(floor(gap * 1000 + 0.5) as bigint)) as time_on_task_ms
  from gaps
  group by course_key, date_key
  union all
  select e.course_key, e.enrolled_date_key, count(*), 0, 0, 0, 0, 0, 0
  from fact_enrollment e
  join touched_day t on t.course_key = e.course_key and t.date_key = e.enrolled_date_key  -- incremental
  group by e.course_key, e.enrolled_date_key
  union all
  select e.course_key, e.withdrawn_date_key, 0, count(*), 0, 0, 0, 0, 0
  from fact_enrollment e
  join touched_day t on t.course_key = e.course_key and t.date_key = e.withdrawn_date_key  -- incremental
  where e.withdrawn_date_key is not null
  group by e.course_key, e.withdrawn_date_key
  union all
  select c.course_key, c.completed_date_key, 0, 0, count(*), 0, 0, 0, 0
  from fact_course_completion c
  join touched_day t on t.course_key = c.course_key and t.date_key = c.completed_date_key  -- incremental
  group by c.course_key, c.completed_date_key
)
select course_key, date_key, cast(sum(enrollments) as bigint) as enrollments, cast(sum(withdrawals) as bigint) as withdrawals,
  cast(sum(completions) as bigint) as completions, cast(sum(active_learners) as bigint) as active_learners,
  cast(sum(events) as bigint) as events, cast(sum(event_quantity) as double) as event_quantity,
  cast(sum(time_on_task_ms) as double) / 1000 as time_on_task_seconds
from parts
group by course_key, date_key
