-- title: The last runs that wrote the warehouse, newest first
-- grain: a run
select run_id, date_trunc('second', started_at) as started_at,
  cast(round(datediff(millisecond, started_at, finished_at) / 1000, 1) as double) as seconds, command, exit_code, summary
from meta.runs
order by meta.runs.started_at desc, run_id desc
limit $limit
