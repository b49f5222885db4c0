-- title: Loads and whether core holds them
-- grain: a load that still counts, or one that was superseded after it was built; in the order in which they were
--   committed, which need not be that of their ids: a load takes its id before it reads
select l.load_id, l.superseded_by is not null as is_superseded, b.load_id is not null as is_built,
  b.session_gap_minutes, l.records_mapped
from meta.loads l
left join meta.built_loads b on b.load_id = l.load_id
where l.superseded_by is null or b.load_id is not null
order by l.committed_at, l.load_id
