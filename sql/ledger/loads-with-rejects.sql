-- title: Loads that count, of files with rejected records
-- grain: a load, in the order in which they were committed
-- definition: all loads of such a file, since it is read again as a whole; with what the run that committed it, or
--   one that it took the place of, was called with, since only that names a mapping's file
with called as (
  select coalesce(o.superseded_by, o.load_id) as load_id, o.source, o.format, r.arguments
  from meta.loads o
  join meta.runs r on r.command in ('load', 'rejects requeue') and o.committed_at between r.started_at and r.finished_at
)
select l.load_id, l.source, l.uri, l.format, l.content_sha256, l.mapping_sha256, l.key_id, l.records_read, l.records_rejected,
  l.bytes, l.started_at, e.entity,
  coalesce(max(case when c.arguments like '%--mapping%' then c.arguments end), max(c.arguments)) as arguments
from meta.loads l
join meta.load_entities e on e.load_id = l.load_id
left join called c on c.load_id = l.load_id and c.source = l.source and c.format = l.format
where l.superseded_by is null
  and (cast($source as varchar) is null or l.source = $source)
  and exists (
    select 1 from meta.loads b
    where b.source = l.source and b.uri = l.uri and b.content_sha256 = l.content_sha256 and b.superseded_by is null
      and b.records_rejected > 0 and (cast($load as bigint) is null or b.load_id = $load)
  )
group by l.load_id, l.source, l.uri, l.format, l.content_sha256, l.mapping_sha256, l.key_id, l.records_read,
  l.records_rejected, l.bytes, l.started_at, l.committed_at, e.entity
order by l.committed_at, l.load_id
