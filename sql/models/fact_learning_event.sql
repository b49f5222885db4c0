-- title: Learning events
-- grain: one event
-- definition: new events of the batch's loads; a double (same day and event id) keeps its first row
-- materialise: incremental key(date_key, event_id)
with arrived as (
  select event_id, learner_key, course_key, date_key, occurred_at, event_type, activity_id, activity_type, session_id,
    duration_seconds, score, progress, quantity, source, attributes, load_id, position
  from staging.stg_learning_event
  where load_id in (select load_id from batch_load)
),
-- Doubles inside one load were dropped when it was loaded: look only for ids that two loads share.
twice as (
  select date_key, event_id
  from arrived
  where (select count(distinct load_id) from arrived) > 1
  group by date_key, event_id
  having count(*) > 1
),
first_of_twice as (
  select a.load_id, a.position
  from arrived a
  join twice t on t.date_key = a.date_key and t.event_id = a.event_id
  qualify row_number() over (partition by a.date_key, a.event_id order by a.load_id nulls last, a.position nulls last) = 1
)
select a.event_id, a.learner_key, a.course_key, a.date_key, a.occurred_at, a.event_type, a.activity_id, a.activity_type,
  a.session_id, a.duration_seconds, a.score, a.progress, a.quantity, a.source, lpa_variant(a.attributes) as attributes
from arrived a
where not exists (select 1 from twice t where t.date_key = a.date_key and t.event_id = a.event_id)
  or exists (select 1 from first_of_twice f where f.load_id = a.load_id and f.position = a.position)
