-- title: Note the results of the checks
insert into meta.checks
select $run_id, check_name, severity, failures, cast($checked_at as timestamp)
from check_outcome
