-- title: What can be read with --at: from when all tables were there on, as long as each of them keeps its states
select null as snapshots, null as first_version, null as last_version,
  max(case when created > dateadd(day, -retention_time, current_timestamp()) then created
    else dateadd(day, -retention_time, current_timestamp()) end) as first_time,
  current_timestamp() as last_time
from information_schema.tables
where table_schema in ('RAW', 'STAGING', 'CORE', 'META') and table_type = 'BASE TABLE'
