-- title: Open edX tracking logs
-- entity: learning_event
-- recognise: event, event_source, event_type, time
-- parse: $.event
-- columns: event_source, event_type, time, page
-- columns: actor = $.context.user_id, subject = $.event.user_id
-- columns: course = $.context.course_id | $.event.course_id, session = $.session
-- columns: problem = $.event.problem_id | $.event.problem, block = $.event.block_id | $.event.usage_key | $.event.module_id
-- columns: object = $.event.id, mode = $.event.mode, success = $.event.success
-- columns: grade = $.event.grade | $.event.weighted_earned number, max_grade = $.event.max_grade | $.event.weighted_possible number
-- columns: percent_grade = $.event.percent_grade number, letter_grade = $.event.letter_grade, completion = $.event.completion number
-- personal: actor(learner), subject(learner)
-- generalise: event_type("^[^/]+$|^/courses/[^/?#]+/([^/?#]+/[^/?#]+/)?(about|course|courseware|info|progress)(/|$)")
-- generalise: page("/courses/(course-v1:[^/?#]+|[^/?#]+/[^/?#]+/[^/?#]+)")
-- export: append
--
-- After "Events in the Tracking Logs" of the edX Research Guide. Browsers send the event as a text of JSON, and what
-- learners answer as no JSON. Addresses may name a learner (/u/NAME): only the course and the kind of page are kept.
-- Of a request, event_type is its address; only those of a course's own pages are events.
with events as (
  select *,
    case when event_type like '/%' then 'page' else event_type end as kind,
    regexp_replace(regexp_extract(coalesce(nullif(regexp_extract(event_type, '^/courses/(course-v1:[^/]+|[^/]+/[^/]+/[^/]+)'), ''), page),
      '(course-v1:.+|courses/.+)$'), '^courses/', '') as address_course
  from source
),
-- Who acts may be of the course team; who is enrolled or graded is the learner.
learners as (
  select *, case
      when kind like 'edx.course.enrollment.%' or kind like 'edx.grades.%' or kind like 'edx.course.grade.%'
        or kind like 'edx.certificate.%' then coalesce(subject, actor)
      else actor
    end as learner
  from events
)
select source_row, learner as learner_id,
  coalesce(nullif(course, ''), nullif(address_course, '')) as course_id,
  time as occurred_at,
  case
    when kind = 'edx.course.enrollment.activated' then 'registered'
    when kind = 'edx.course.enrollment.deactivated' then 'unregistered'
    when kind in ('play_video', 'edx.video.played') then 'played'
    when kind in ('pause_video', 'edx.video.paused') then 'paused'
    when kind in ('seek_video', 'edx.video.position.changed') then 'seeked'
    when kind in ('stop_video', 'edx.video.stopped') then 'completed'
    when kind = 'problem_check' then 'answered'
    when kind in ('edx.grades.problem.submitted', 'openassessmentblock.create_submission') then 'submitted'
    when kind in ('edx.grades.course.grade_calculated', 'edx.grades.subsection.grade_calculated') then 'scored'
    when kind in ('edx.course.grade.passed.first_time', 'edx.course.grade.now_passed') then 'passed'
    when kind = 'edx.course.grade.now_failed' then 'failed'
    when kind = 'edx.certificate.created' then 'earned'
    when kind = 'edx.completion.block_completion.changed' and try_cast(completion as double) >= 1 then 'completed'
    when kind = 'edx.completion.block_completion.changed' then 'progressed'
    when kind like 'edx.forum.%.created' then 'commented'
    when kind = 'edx.forum.searched' or kind like '%.search.initiated' then 'searched'
    when kind like 'edx.forum.%.viewed' or kind like 'edx.ui.lms.%' or kind like 'seq\_%' escape '\' then 'viewed'
    when kind in ('page', 'book', 'link_clicked', 'edx.course.tool.accessed') then 'viewed'
    else kind
  end as event_type,
  coalesce(problem, block, object) as activity_id,
  case
    when kind like 'edx.course.enrollment.%' then 'enrollment'
    when kind like 'edx.grades.course.%' or kind like 'edx.course.grade.%' then 'course'
    when kind like 'edx.certificate.%' then 'certificate'
    when kind like '%\_video' escape '\' or kind like 'edx.video.%' then 'video'
    when problem is not null then 'problem'
    when kind like 'edx.forum.%' then 'forum'
    else nullif(regexp_extract(block, 'type@([^+@]+)', 1), '')
  end as activity_type,
  nullif(session, '') as session_id,
  coalesce(try_cast(percent_grade as double),
    try_cast(grade as double) / nullif(try_cast(max_grade as double), 0)) as score,
  mode as "attributes.mode",
  success as "attributes.success",
  letter_grade as "attributes.grade"
from learners
-- What browser and server both report counts as the server has it. Who is not logged in is nobody.
where kind is not null and nullif(learner, '') is not null
  and not (coalesce(event_source, '') = 'browser' and kind in ('problem_check', 'problem_save', 'problem_reset', 'problem_show', 'problem_graded'))
