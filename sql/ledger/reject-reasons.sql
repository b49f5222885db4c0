-- title: Why records were rejected
-- grain: a source, reason and column
select source, reason_code, column_name, count(*) as records, count(distinct load_id) as loads,
  max(load_id) as last_load, min(reason) as reason
from raw.rejected_rows
where (cast($source as varchar) is null or source = $source)
group by source, reason_code, column_name
order by records desc, source, reason_code, column_name
