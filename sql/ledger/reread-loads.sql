-- title: Loads of streams under other keys that loads under this one hold again
-- grain: a load that still counts, and the newest one that can take its place
-- definition: each of its events is there under the same id, which no key changes, or is taken back there too; of a load without
--   events, each of its rejected records, if it has any. What else a load holds cannot be found again, since its ids are pseudonyms: it stays
with newer as (
  select load_id from meta.loads where source = $source and key_id = $key_id and superseded_by is null
),
older as (
  select l.load_id, l.records_rejected, l.source
  from meta.loads l
  where l.source = $source and l.key_id <> $key_id and l.superseded_by is null and (l.uri like 'kafka://%' or l.uri like 'dir:%')
    and not exists (
      select 1 from meta.load_entities e where e.load_id = l.load_id and e.entity <> 'learning_event' and e."ROWS" > 0
    )
),
newer_event as (
  select event_id, 'brought' as how from staging.stg_learning_event where load_id in (select load_id from newer)
  union
  select event_id, 'taken back' from staging.stg_deletion where load_id in (select load_id from newer)
),
older_event as (
  select load_id, event_id, 'brought' as how from staging.stg_learning_event where load_id in (select load_id from older)
  union all
  select load_id, event_id, 'taken back' from staging.stg_deletion where load_id in (select load_id from older)
),
positions as (
  select distinct position from raw.rejected_rows where load_id in (select load_id from newer)
),
events as (
  select o.load_id, count(*) as events, count(n.event_id) as again
  from older_event o
  left join newer_event n on n.event_id = o.event_id and n.how = o.how
  group by o.load_id
),
rejects as (
  select r.load_id, count(*) as rejects, count(p.position) as again
  from raw.rejected_rows r
  left join positions p on p.position = r.position
  where r.load_id in (select load_id from older)
  group by r.load_id
)
select b.load_id, n.by_load
from older b
cross join (select max(load_id) as by_load from newer) n
left join events e on e.load_id = b.load_id
left join rejects r on r.load_id = b.load_id
where n.by_load is not null
  and (e.events = e.again or (e.load_id is null and coalesce(r.rejects, 0) = coalesce(r.again, 0)))
order by b.load_id
