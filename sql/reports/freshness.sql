-- title: How fresh each source is
-- grain: a source
-- definition: Its loads that count (no later load took their place), their records by fate, how many of these loads
--   are not built into facts yet, and when the newest was committed (UTC).
-- chart: bar x=source y=mapped,rejected
-- cells: none
with built as (
  select distinct load_id from meta.built_loads
)
select l.source, count(*) as loads, cast(sum(l.records_mapped) as bigint) as mapped,
  cast(sum(l.records_rejected) as bigint) as rejected, count(case when b.load_id is null then 1 end) as not_built,
  max(l.committed_at) as newest_load_at
from meta.loads l
left join built b on b.load_id = l.load_id
where l.superseded_by is null
group by l.source
order by newest_load_at desc nulls last, l.source nulls last
