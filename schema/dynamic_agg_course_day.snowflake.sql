-- core.agg_course_day as a dynamic table, which Snowflake itself keeps up with the facts between two runs of lpa batch.
-- Made by scripts/snowflake-ddl.ts from sql/models/agg_course_day.sql: change that, not this. lpa neither runs this nor reads
-- the table; it is a plan for a DBA, who pays for its refreshes. It has a schema of its own, since lpa schema status would call
-- it undeclared in core. Put in your warehouse, the lag you need, and metrics.session_gap_minutes if that is not 30.

create schema if not exists derived;

create or replace dynamic table derived.agg_course_day
target_lag = '1 hour'
warehouse = lpa_wh
refresh_mode = auto
initialize = on_schedule
cluster by (date_key, course_key)
as
with timed as (
  select e.course_key, e.date_key, e.learner_key, e.event_type, e.quantity, e.occurred_at,
    lead(e.occurred_at) over (partition by e.course_key, e.learner_key order by e.occurred_at nulls last, e.event_id nulls last) as next_at
  from core.fact_learning_event e
),
gaps as (
  select g.course_key, g.date_key, g.learner_key, g.event_type, g.quantity,
    case when g.learner_key <> 0 and (cast(datediff(millisecond, g.occurred_at, g.next_at) as double) / 1000) <= s.gap_seconds then (cast(datediff(millisecond, g.occurred_at, g.next_at) as double) / 1000) else 0 end as gap
  from timed g
  cross join (select 30 * 60 as gap_seconds) s
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
  from core.fact_enrollment e
  group by e.course_key, e.enrolled_date_key
  union all
  select e.course_key, e.withdrawn_date_key, 0, count(*), 0, 0, 0, 0, 0
  from core.fact_enrollment e
  where e.withdrawn_date_key is not null
  group by e.course_key, e.withdrawn_date_key
  union all
  select c.course_key, c.completed_date_key, 0, 0, count(*), 0, 0, 0, 0
  from core.fact_course_completion c
  group by c.course_key, c.completed_date_key
)
select course_key, date_key, cast(sum(enrollments) as bigint) as enrollments, cast(sum(withdrawals) as bigint) as withdrawals,
  cast(sum(completions) as bigint) as completions, cast(sum(active_learners) as bigint) as active_learners,
  cast(sum(events) as bigint) as events, cast(sum(event_quantity) as double) as event_quantity,
  cast(sum(time_on_task_ms) as double) / 1000 as time_on_task_seconds
from parts
group by course_key, date_key;
