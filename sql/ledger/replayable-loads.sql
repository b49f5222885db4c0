-- title: Loads that count, with what mapping them again needs
-- grain: a load, in the order in which they were committed
-- definition: With what the run that committed it, or one that it took the place of, was called with, since only that names a
--   mapping's file.
with called as (
  select coalesce(o.superseded_by, o.load_id) as load_id, o.source, o.format, r.arguments
  from meta.loads o
  join meta.runs r on r.command in ('load', 'rejects requeue') and o.committed_at between r.started_at and r.finished_at
)
select l.load_id, l.key_id, l.source, l.uri, l.format,
  coalesce(max(case when c.arguments like '%--mapping%' then c.arguments end), max(c.arguments)) as arguments,
  l.content_sha256, l.bytes, l.records_read, l.records_rejected, l.mapping_sha256, l.started_at, l.next_cursor,
  max(case when e.entity = 'learning_event' then 1 else 0 end) = 1 as has_raw
from meta.loads l
left join called c on c.load_id = l.load_id and c.source = l.source and c.format = l.format
left join meta.load_entities e on e.load_id = l.load_id
where l.superseded_by is null
group by l.load_id, l.key_id, l.source, l.uri, l.format, l.content_sha256, l.bytes, l.records_read, l.records_rejected,
  l.mapping_sha256, l.started_at, l.next_cursor, l.committed_at
order by l.committed_at, l.load_id
