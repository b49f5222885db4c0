-- title: Note a check's result
insert into meta.checks values ($run_id, $check_name, $severity, $failures, cast($checked_at as timestamp))
