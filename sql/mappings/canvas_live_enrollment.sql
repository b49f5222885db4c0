-- title: Canvas Live Events: enrollments of students
-- entity: enrollment
-- recognise: $.metadata.event_name, $.metadata.event_time, body
-- columns: event = $.metadata.event_name, since = $.metadata.event_time
-- columns: enrollment = $.body.enrollment_id, learner = $.body.user_id, course = $.body.course_id, kind = $.body.type
-- columns: created = $.body.created_at, updated = $.body.updated_at, state = $.body.workflow_state
-- personal: learner(learner)
-- export: append
--
-- Each event is a state of its enrollment; the latest holds.
with states as (
  select *, state in ('deleted', 'inactive', 'rejected') as is_over
  from source
  where event in ('enrollment_created', 'enrollment_updated') and kind = 'StudentEnrollment'
)
select source_row, enrollment as enrollment_id, learner as learner_id, course as course_id,
  coalesce(created, since) as enrolled_at,
  case when is_over then 'withdrawn' when state = 'completed' then 'completed' else 'active' end as status,
  case when is_over then coalesce(updated, since) end as withdrawn_at,
  coalesce(updated, since) as effective_at
from states
