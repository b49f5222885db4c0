-- title: The newest loads
-- grain: a load, the newest first
-- definition: Records by fate: read = mapped + rejected + filtered + doubled. state: built when the facts hold it, not
--   built until the next batch, superseded when a later load took its place.
-- chart: bar x=load_id y=mapped,rejected
-- cells: none
-- param: most integer 50 "loads to show"
with placed as (
  select load_id, source, format, records_read, records_mapped, records_rejected, records_filtered, records_doubled,
    superseded_by, committed_at, row_number() over (order by committed_at desc nulls last, load_id desc nulls last) as place
  from meta.loads
),
built as (
  select distinct load_id from meta.built_loads
)
select p.load_id, p.source, p.format, p.records_read as read, p.records_mapped as mapped, p.records_rejected as rejected,
  p.records_filtered as filtered, p.records_doubled as doubled,
  case when p.superseded_by is not null then 'superseded' when b.load_id is null then 'not built' else 'built' end as state,
  p.committed_at
from placed p
left join built b on b.load_id = p.load_id
where p.place <= cast($most as int)
order by p.place nulls last
