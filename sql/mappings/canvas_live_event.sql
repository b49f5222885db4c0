-- title: Canvas Live Events: what learners do
-- entity: learning_event
-- recognise: $.metadata.event_name, $.metadata.event_time, body
-- columns: event = $.metadata.event_name, since = $.metadata.event_time, actor = $.metadata.user_id
-- columns: actor_role = $.metadata.context_role, session = $.metadata.session_id
-- columns: context_id = $.metadata.context_id, context_type = $.metadata.context_type
-- columns: learner = $.body.student_id | $.body.user.id | $.body.user_id
-- columns: course = $.body.course.id | $.body.course_id, assignment = $.body.assignment_id, quiz = $.body.quiz_id
-- columns: topic = $.body.discussion_topic_id, asset = $.body.asset_id, asset_kind = $.body.asset_type, role = $.body.role
-- columns: score = $.body.score number, points = $.body.points_possible number, attempt = $.body.attempt
-- columns: done = $.body.progress.requirement_completed_count number, required = $.body.progress.requirement_count number
-- personal: actor(learner), learner(learner)
-- personal: asset(drop if asset_kind = user | "user"), context_id(drop if context_type = User | UserProfile)
-- export: append
--
-- After "Live Events" of Canvas's data services. Who acts is in metadata, of whom an event tells in its body: a grade's
-- student is not who graded. Enrollments and courses are mappings of their own.
with events as (
  select *,
    case
      when event in ('logged_in', 'logged_out', 'quiz_submitted', 'asset_accessed') then coalesce(learner, actor)
      else learner
    end as who,
    event in ('logged_in', 'logged_out', 'quiz_submitted', 'asset_accessed') as is_own
  from source
)
select source_row, who as learner_id,
  coalesce(course, case when context_type = 'Course' then context_id end) as course_id,
  since as occurred_at,
  case event
    when 'logged_in' then 'logged_in'
    when 'logged_out' then 'logged_out'
    when 'asset_accessed' then 'viewed'
    when 'quiz_submitted' then 'submitted'
    when 'submission_created' then 'submitted'
    when 'grade_change' then 'scored'
    when 'course_progress' then 'progressed'
    when 'course_completed' then 'completed'
    when 'discussion_entry_created' then 'commented'
    when 'discussion_topic_created' then 'commented'
    else event
  end as event_type,
  case when event in ('course_progress', 'course_completed') then course else coalesce(assignment, quiz, topic, asset) end as activity_id,
  case
    when event in ('course_progress', 'course_completed') then 'course'
    when assignment is not null then 'assignment'
    when quiz is not null then 'quiz'
    when topic is not null then 'discussion'
    else asset_kind
  end as activity_type,
  session as session_id,
  -- Extra credit is more than all: scores here go from 0 to 1.
  case when event = 'grade_change' then
    case when try_cast(score as double) > try_cast(points as double) then 1
      else try_cast(score as double) / nullif(try_cast(points as double), 0) end
  end as score,
  try_cast(done as double) / nullif(try_cast(required as double), 0) as progress,
  attempt as "attributes.attempt"
from events
where event in ('logged_in', 'logged_out', 'asset_accessed', 'quiz_submitted', 'submission_created', 'submission_updated',
    'grade_change', 'course_progress', 'course_completed', 'discussion_entry_created', 'discussion_topic_created')
  -- Teachers look at assets and log in too.
  and not (is_own and regexp_matches(coalesce(role, actor_role, ''), '^(Teacher|Ta|Designer|Observer)Enrollment|Admin'))
