-- title: Learning events
-- grain: one event
-- definition: new events of the batch's loads; a double (same day and event id) keeps its first row: that of the load
--   that was committed first
-- materialise: incremental key(date_key, event_id)
with event_loads as (
  select count(distinct load_id) as loads
  from staging.stg_learning_event
  where load_id in (select load_id from batch_load)
),
-- Doubles inside one load were dropped when it was loaded: look only for ids that two loads share. The steps read staging
-- anew instead of sharing one: a step that is read twice is kept whole in memory.
twice as (
  select s.date_key, s.event_id
  from staging.stg_learning_event s
  join event_loads l on l.loads > 1
  where s.load_id in (select load_id from batch_load)
  group by s.date_key, s.event_id
  having count(*) > 1
),
repeated as (
  select s.load_id, s.position, s.event_id
  from staging.stg_learning_event s
  join twice t on t.date_key = s.date_key and t.event_id = s.event_id
  join batch_load b on b.load_id = s.load_id
  qualify row_number() over (partition by s.date_key, s.event_id order by b.place nulls last, s.position nulls last) > 1
)
select s.event_id, s.learner_key, s.course_key, s.date_key, s.occurred_at, s.event_type, s.activity_id, s.activity_type,
  s.session_id, s.duration_seconds, s.score, s.progress, s.quantity, s.source, lpa_variant(s.attributes) as attributes
from staging.stg_learning_event s
left join repeated r on r.load_id = s.load_id and r.position = s.position and r.event_id = s.event_id
where s.load_id in (select load_id from batch_load) and r.load_id is null
