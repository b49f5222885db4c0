-- title: Remembers a run
insert into meta.runs
values (
  $run_id, $command, $arguments, $role, cast($started_at as timestamp), cast($finished_at as timestamp),
  $exit_code, $summary
)
