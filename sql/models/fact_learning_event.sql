-- title: Learning events
-- grain: one event
-- definition: new events of the batch's loads that no load takes back; a double (same day and event id) keeps its first
--   row: that of the load that was committed first
-- materialise: incremental key(date_key, event_id)
select s.event_id, s.learner_key, s.course_key, s.date_key, s.occurred_at, s.event_type, s.activity_id, s.activity_type,
  s.session_id, s.duration_seconds, s.score, s.progress, s.quantity, s.source, lpa_variant(s.attributes) as attributes
from staging.stg_learning_event s
left join repeated_event r on r.load_id = s.load_id and r.position = s.position and r.event_id = s.event_id
where s.load_id in (select load_id from batch_load) and r.load_id is null
  and not exists (select 1 from staging.stg_deletion d where d.entity = 'learning_event' and d.event_id = s.event_id)
