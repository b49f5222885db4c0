-- title: The last statements of lpa
-- grain: a statement that lpa ran, the newest first
-- definition: Of the last seven days, and of what the role may see; at once, without the micro-partitions that pruning has. Snowflake
--   shows the newest 10,000 statements of all that the role may see, so with many others it is of less time.
-- param: text text null "only statements that contain this; all when not given"
-- param: most integer 50 "statements to show"
-- table: query_id, started_at, seconds, rows_produced, status, begins
--
-- Written by the documentation of Snowflake: the emulator has none of this, and no account was at hand to run it.
select query_id, start_time as started_at, query_type as type, cast(total_elapsed_time as double) / 1000 as seconds,
  rows_produced, bytes_scanned, lower(execution_status) as status, error_message as error, substr(query_text, 1, 80) as begins
from table(information_schema.query_history(end_time_range_start => dateadd(minute, 1, dateadd(day, -7, current_timestamp())), result_limit => 10000))
where query_tag like 'lpa%' and (cast($text as varchar) is null or contains(query_text, $text))
qualify row_number() over (order by start_time desc, query_id) <= cast($most as int)
order by start_time desc, query_id
