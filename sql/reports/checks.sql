-- title: Checks of the warehouse
-- grain: a check
-- definition: How each check of sql/checks came out when it last ran: ok without failures, else failed (a check of
--   severity error) or warning. failures: the rows that it found.
-- chart: bar x=check_name y=failures
-- cells: none
with latest as (
  select check_name, severity, failures, checked_at
  from meta.checks
  qualify row_number() over (partition by check_name order by checked_at desc nulls last, run_id desc nulls last) = 1
)
select check_name, case when failures = 0 then 'ok' when severity = 'error' then 'failed' else 'warning' end as state,
  failures, checked_at
from latest
order by case when failures = 0 then 2 when severity = 'error' then 0 else 1 end nulls last, check_name nulls last
