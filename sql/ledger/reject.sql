-- title: What is kept of one rejected record
-- grain: a reason against it
select r.load_id, r.source, l.uri, r.position, r.reason_code, r.column_name, r.reason, r.byte_length, r.content_hmac,
  r.payload, r.requeued_at
from raw.rejected_rows r
left join meta.loads l on l.load_id = r.load_id
where r.load_id = $load and (r.position = $position or r.position like $ending escape '!')
order by r.reason_code, r.column_name
