-- title: Whether the days of the newest load are days of another time zone
select count(*) as rows_seen, coalesce(sum(case when date_key <> day_here then 1 else 0 end), 0) as rows_of_other_days
from (
  select date_key, extract(year from here) * 10000 + extract(month from here) * 100 + extract(day from here) as day_here
  from (
    select date_key, convert_timezone('UTC', $timezone, occurred_at) as here
    from staging.stg_learning_event
    where load_id = (select max(load_id) from staging.stg_learning_event)
    limit 10000
  ) t
) e
