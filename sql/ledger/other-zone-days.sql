-- title: Whether the days of the newest load are days of another time zone
select count(*) as rows, coalesce(sum(cast(date_key <> day_here as integer)), 0) as rows_of_other_days
from (
  select date_key, cast(strftime(timezone($timezone, timezone('UTC', occurred_at)), '%Y%m%d') as integer) as day_here
  from staging.stg_learning_event
  where load_id = (select max(load_id) from staging.stg_learning_event)
  limit 10000
) e
