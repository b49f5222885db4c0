-- title: Loads that count and are under another key
-- grain: a load
-- definition: With what the run that committed it was called with, since only that names a mapping's file.
select l.load_id, l.key_id, l.source, l.uri, l.format, max(r.arguments) as arguments
from meta.loads l
left join meta.runs r on r.command in ('load', 'rejects requeue') and l.started_at >= r.started_at and l.committed_at <= r.finished_at
where l.superseded_by is null and l.key_id <> $key_id
group by l.load_id, l.key_id, l.source, l.uri, l.format
order by l.load_id
