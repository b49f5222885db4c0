-- title: Loads of streams under other keys that loads under this one hold again
-- grain: a load that still counts, and the newest one that can take its place
-- definition: each of its events is there under the same id, which no key changes; of a load without events, each of its
--   rejected records. What else a load holds cannot be found again, since its ids are pseudonyms: it stays
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
event_ids as (
  select distinct event_id from staging.stg_learning_event where load_id in (select load_id from newer)
),
positions as (
  select distinct position from raw.rejected_rows where load_id in (select load_id from newer)
),
events as (
  select s.load_id, count(*) as events, count(i.event_id) as again
  from staging.stg_learning_event s
  left join event_ids i on i.event_id = s.event_id
  where s.load_id in (select load_id from older)
  group by s.load_id
),
rejects as (
  select r.load_id, count(*) as rejects, count(p.position) as again
  from raw.rejected_rows r
  left join positions p on p.position = r.position
  where r.load_id in (select load_id from older)
  group by r.load_id
)
select b.load_id, (select max(load_id) from newer) as by_load
from older b
left join events e on e.load_id = b.load_id
left join rejects r on r.load_id = b.load_id
where e.events = e.again or (e.load_id is null and r.rejects = r.again)
order by b.load_id
