-- title: What the last runs cost
-- grain: a session of lpa, which is one run, the newest first
-- definition: Execution by the credits an hour of its warehouse's size, as though each statement had the warehouse alone.
--   Not in it: the minute at least that a resumed warehouse is paid for, and its idle time until it is suspended. Of the last
--   seven days, and of what the role may see. command is the run that was recorded at that time; questions are not. Snowflake
--   shows the newest 10,000 statements of all that the role may see, so with many others it is of less time.
-- chart: bar x=started_at y=compute_credits
-- param: days integer 7 "how far back, at most 7"
-- param: most integer 50 "runs to show"
--
-- Written by the documentation of Snowflake: the emulator has none of this, and no account was at hand to run it.
with asked as (
  select session_id, cast(start_time as timestamp_ntz) as started_at, warehouse_name, execution_time, bytes_scanned,
    credits_used_cloud_services,
    case warehouse_size when 'X-Small' then 1 when 'Small' then 2 when 'Medium' then 4 when 'Large' then 8
      when 'X-Large' then 16 when '2X-Large' then 32 when '3X-Large' then 64 when '4X-Large' then 128
      when '5X-Large' then 256 when '6X-Large' then 512 else 0 end as credits_an_hour
  from table(information_schema.query_history(end_time_range_start => dateadd(minute, 1, dateadd(day, -7, current_timestamp())), result_limit => 10000))
  where query_tag like 'lpa%' and start_time >= dateadd(day, -cast($days as int), current_timestamp())
),
summed as (
  select session_id, min(started_at) as started_at, max(warehouse_name) as warehouse, count(*) as statements,
    cast(sum(execution_time) as double) / 1000 as seconds, sum(bytes_scanned) as bytes_scanned,
    sum(cast(execution_time as double) / 3600000 * credits_an_hour) as compute_credits,
    cast(sum(credits_used_cloud_services) as double) as service_credits
  from asked
  group by session_id
),
named as (
  select s.session_id, r.command
  from summed s
  join meta.runs r on s.started_at between r.started_at and r.finished_at
  qualify row_number() over (partition by s.session_id order by r.started_at desc, r.run_id) = 1
)
select s.session_id as session, s.started_at, n.command, s.warehouse, s.statements, s.seconds, s.bytes_scanned,
  s.compute_credits, s.service_credits
from summed s
left join named n on n.session_id = s.session_id
qualify row_number() over (order by s.started_at desc, s.session_id desc) <= cast($most as int)
order by s.started_at desc, s.session_id desc
