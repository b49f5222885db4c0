-- title: One run
select run_id, command, arguments, role, started_at, finished_at, exit_code, summary
from meta.runs
where run_id = $run_id
