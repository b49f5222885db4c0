-- title: Remembers how a run ended that was recorded before it did
update meta.runs
set finished_at = cast($finished_at as timestamp), exit_code = $exit_code, summary = $summary
where run_id = $run_id
