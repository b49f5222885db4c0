-- title: Each event is in fact_learning_event once
-- severity: error
-- definition: An event is known by its day and id. A double carries the same time. On the days of the loads to check: those
--   of the batch; of all loads where any check failed when it last ran.
with day_checked as (
  select distinct date_key
  from staging.stg_learning_event
  where load_id in (select load_id from checked_load)
),
-- By number first: ids take several times the memory.
alike as (
  select date_key, lpa_hash(event_id) as id_hash
  from fact_learning_event
  where date_key in (select date_key from day_checked)
  group by date_key, lpa_hash(event_id)
  having count(*) > 1
)
select f.date_key, f.event_id, count(*) as rows_found
from fact_learning_event f
join alike a on a.date_key = f.date_key and a.id_hash = lpa_hash(f.event_id)
group by f.date_key, f.event_id
having count(*) > 1
