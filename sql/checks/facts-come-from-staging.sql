-- title: Every event of the facts was staged
-- severity: error
-- definition: No fact of an event without a staged event of its day and id. Looks at the days of the loads to check (those
--   of the batch; of all loads where any check failed when it last ran), and at days that nothing was staged for.
with day_checked as (
  select distinct date_key
  from staging.stg_learning_event
  where load_id in (select load_id from checked_load)
),
surplus as (
  select date_key, event_id from fact_learning_event where date_key in (select date_key from day_checked)
  except
  select date_key, event_id from staging.stg_learning_event where date_key in (select date_key from day_checked)
),
fact_day as (
  select date_key, count(*) as facts
  from fact_learning_event
  group by date_key
),
staged_day as (
  select distinct date_key from staging.stg_learning_event
)
select date_key, count(*) as facts
from surplus
group by date_key
union all
select f.date_key, f.facts
from fact_day f
where not exists (select 1 from staged_day s where s.date_key = f.date_key)
