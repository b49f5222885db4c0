-- title: Why records were rejected
-- grain: a source, reason and column
-- definition: Rejected records of all loads that count. last_load_id: the newest load that has one. The records
--   themselves: lpa rejects list.
-- chart: bar x=reason_code y=records
-- cells: none
select source, reason_code, column_name, count(*) as records, count(distinct load_id) as loads, max(load_id) as last_load_id
from raw.rejected_rows
group by source, reason_code, column_name
order by records desc nulls last, source nulls last, reason_code nulls last, column_name nulls last
