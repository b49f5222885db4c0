-- title: Canvas Data 2: submissions
-- entity: learning_event
-- recognise: $.key.id, $.value.user_id, $.value.assignment_id, $.value.submitted_at, $.value.workflow_state
-- columns: id = $.key.id | $."key.id", action = $.meta.action | $."meta.action"
-- columns: learner = $.value.user_id | $."value.user_id", course = $.value.course_id | $."value.course_id"
-- columns: assignment = $.value.assignment_id | $."value.assignment_id", attempt = $.value.attempt | $."value.attempt"
-- columns: submitted = $.value.submitted_at | $."value.submitted_at", graded = $.value.graded_at | $."value.graded_at"
-- columns: points = $.value.score | $."value.score" number, kind = $.value.submission_type | $."value.submission_type"
-- personal: learner(learner)
-- nulls: "\N"
-- export: append
--
-- A row is the latest state of a submission: what happened keeps its id in every state. How many points were possible
-- the assignment tells, not the submission.
with moments as (
  select source_row, id || '/submitted/' || coalesce(attempt, '1') as event_id, submitted as occurred, 'submitted' as event_type,
    learner, course, assignment, kind, attempt, cast(null as double) as given
  from source
  where coalesce(action, 'U') <> 'D' and submitted is not null
  union all
  select source_row, id || '/graded/' || graded, graded, 'scored', learner, course, assignment, kind, attempt, try_cast(points as double)
  from source
  where coalesce(action, 'U') <> 'D' and graded is not null and points is not null
)
select source_row, event_id, learner as learner_id, course as course_id, occurred as occurred_at, event_type,
  assignment as activity_id, 'assignment' as activity_type,
  kind as "attributes.submission_type", attempt as "attributes.attempt", given as "attributes.points"
from moments
