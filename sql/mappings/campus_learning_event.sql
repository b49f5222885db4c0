-- title: Campus events (events.ndjson)
-- entity: learning_event
-- recognise: event_id, event_type, learner_id, occurred_at
-- columns: event_id, event_type, learner_id, course_id, activity_id, activity_type, session_id, occurred_at
-- columns: duration_seconds number, score number, progress number, quantity number, attributes json
-- personal: learner_id(learner)
-- export: append
select
  event_id,
  event_type,
  learner_id,
  course_id,
  activity_id,
  activity_type,
  session_id,
  occurred_at,
  duration_seconds,
  score,
  progress,
  quantity,
  attributes
from source
