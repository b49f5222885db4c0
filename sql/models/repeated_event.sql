-- title: Staged events that are left out of the facts: an earlier load of the batch holds the same
-- grain: an event of the batch's loads whose day and id a load that was committed before it holds as well
-- definition: doubles inside one load were dropped when it was loaded: looked for are only ids that two loads share
-- materialise: temporary
with event_loads as (
  select count(distinct load_id) as loads
  from staging.stg_learning_event
  where load_id in (select load_id from batch_load)
),
-- The steps read staging anew instead of sharing one: a step that is read twice is kept whole in memory.
twice as (
  select s.date_key, s.event_id
  from staging.stg_learning_event s
  join event_loads l on l.loads > 1
  where s.load_id in (select load_id from batch_load)
  group by s.date_key, s.event_id
  having count(*) > 1
)
select s.load_id, s.position, s.event_id
from staging.stg_learning_event s
join twice t on t.date_key = s.date_key and t.event_id = s.event_id
join batch_load b on b.load_id = s.load_id
qualify row_number() over (partition by s.date_key, s.event_id order by b.place nulls last, s.position nulls last) > 1
