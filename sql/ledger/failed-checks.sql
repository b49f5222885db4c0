-- title: Checks that found an error when they last ran
select check_name
from (
  select check_name, severity, failures
  from meta.checks
  qualify row_number() over (partition by check_name order by checked_at desc, run_id desc) = 1
) last_results
where severity = 'error' and failures > 0
order by check_name
