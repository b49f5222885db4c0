-- title: Rejected records, newest load first
-- grain: a rejected record
select load_id, source, position, reason_code, column_name, reason
from raw.rejected_rows
where (cast($source as varchar) is null or source = $source)
  and (cast($reason as varchar) is null or reason_code = $reason)
  and (cast($load as bigint) is null or load_id = $load)
order by load_id desc, regexp_replace(position, '[0-9]*$', ''), try_to_number(regexp_substr(position, '[0-9]+$')), position
limit $limit
