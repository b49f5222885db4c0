-- title: Loads that count
-- grain: a load that was not superseded; in the order in which they were committed, which need not be that of their ids:
--   a load takes its id before it reads
select load_id, records_mapped
from meta.loads
where superseded_by is null
order by committed_at, load_id
