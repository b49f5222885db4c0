-- title: The events of the facts are those that were staged
-- severity: error
-- definition: Every staged event that no load takes back is a fact of its day and id, and every fact was staged. On the days of the loads to check
--   (those of the batch; of all loads where any check failed when it last ran), and on days that nothing was staged for.
--   Days whose numbers and hashes of ids agree hold the same; the others, such as those with doubles, are compared by id.
with retracted as (
  select event_id from staging.stg_deletion where entity = 'learning_event'
),
day_checked as (
  select distinct date_key
  from staging.stg_learning_event
  where load_id in (select load_id from checked_load)
),
staged_day as (
  select date_key, count(*) as events, sum(cast(lpa_hash(event_id) as decimal(38, 0))) as ids
  from staging.stg_learning_event s
  where date_key in (select date_key from day_checked)
    and not exists (select 1 from retracted r where r.event_id = s.event_id)
  group by date_key
),
fact_day as (
  select date_key, count(*) as events, sum(cast(lpa_hash(event_id) as decimal(38, 0))) as ids
  from fact_learning_event
  where date_key in (select date_key from day_checked)
  group by date_key
),
differing as (
  select s.date_key
  from staged_day s
  left join fact_day f on f.date_key = s.date_key
  where f.date_key is null or f.events <> s.events or f.ids <> s.ids
),
missing as (
  select date_key, event_id from staging.stg_learning_event s
  where date_key in (select date_key from differing)
    and not exists (select 1 from retracted r where r.event_id = s.event_id)
  except
  select date_key, event_id from fact_learning_event where date_key in (select date_key from differing)
),
surplus as (
  select date_key, event_id from fact_learning_event where date_key in (select date_key from differing)
  except
  select date_key, event_id from staging.stg_learning_event s
  where date_key in (select date_key from differing)
    and not exists (select 1 from retracted r where r.event_id = s.event_id)
),
day_with_facts as (
  select date_key, count(*) as facts
  from fact_learning_event
  group by date_key
)
select date_key, 'no fact' as what, count(*) as events
from missing
group by date_key
union all
select date_key, 'not staged', count(*)
from surplus
group by date_key
union all
select f.date_key, 'not staged', f.facts
from day_with_facts f
where not exists (select 1 from staging.stg_learning_event s where s.date_key = f.date_key)
