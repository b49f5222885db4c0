-- title: Loads that count and are under another key
-- grain: a load
-- definition: With what the run that committed it, or one that it took the place of, was called with, since only that names a
--   mapping's file.
with called as (
  select coalesce(o.superseded_by, o.load_id) as load_id, o.source, o.format, r.arguments
  from meta.loads o
  join meta.runs r on r.command in ('load', 'rejects requeue') and o.committed_at between r.started_at and r.finished_at
)
select l.load_id, l.key_id, l.source, l.uri, l.format,
  coalesce(max(case when c.arguments like '%--mapping%' then c.arguments end), max(c.arguments)) as arguments
from meta.loads l
left join called c on c.load_id = l.load_id and c.source = l.source and c.format = l.format
where l.superseded_by is null and l.key_id <> $key_id
group by l.load_id, l.key_id, l.source, l.uri, l.format
order by l.load_id
