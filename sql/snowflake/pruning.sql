-- title: Micro-partitions that the last statements read
-- grain: a statement that lpa ran in this database, the newest first
-- definition: percent is scanned ÷ total: a report of some days should read a small part of the facts. From
--   SNOWFLAKE.ACCOUNT_USAGE, which is up to 45 minutes behind, and which a role sees that has IMPORTED PRIVILEGES on the
--   database SNOWFLAKE, or its database role GOVERNANCE_VIEWER.
-- param: days integer 1 "how far back"
-- param: text text null "only statements that contain this; all when not given"
-- param: most integer 50 "statements to show"
--
-- Written by the documentation of Snowflake: the emulator has none of this, and no account was at hand to run it.
select query_id, start_time as started_at, query_type as type, partitions_scanned, partitions_total,
  floor(cast(partitions_scanned as double) / nullif(partitions_total, 0) * 1000 + 0.5) / 10 as percent,
  bytes_scanned, cast(total_elapsed_time as double) / 1000 as seconds, substr(query_text, 1, 80) as begins
from snowflake.account_usage.query_history
where query_tag like 'lpa%' and database_name = current_database() and partitions_total > 0
  and start_time >= dateadd(day, -cast($days as int), current_timestamp())
  and (cast($text as varchar) is null or contains(query_text, $text))
qualify row_number() over (order by start_time desc, query_id) <= cast($most as int)
order by start_time desc, query_id
