-- title: Loads that count and are not in core
-- grain: a load, in the order in which they were committed
-- definition: a stream builds after each of its commits, so these few are all that is read of very many
select l.load_id, l.records_mapped
from meta.loads l
where l.superseded_by is null and not exists (select 1 from meta.built_loads b where b.load_id = l.load_id)
order by l.committed_at, l.load_id
