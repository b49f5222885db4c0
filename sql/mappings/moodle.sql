-- title: Moodle's standard log (mdl_logstore_standard_log, as CSV or JSON)
-- entity: learning_event
-- recognise: eventname, objecttable, contextlevel, userid, courseid, relateduserid, timecreated
-- columns: id, eventname, component, objecttable, objectid, contextlevel, contextinstanceid, courseid, timecreated
-- columns: userid, relateduserid, realuserid
-- personal: userid(learner), relateduserid(learner), realuserid(learner)
-- personal: contextinstanceid(drop if contextlevel = 30)
-- personal: objectid(drop if objecttable = user | user_enrolments | user_info_data | user_preferences)
-- nulls: "0", "-1", NULL, "\\N"
-- export: append
--
-- After Moodle's Events API and the events of 4.5. Who is enrolled, graded or has completed something is the related user,
-- since the user may be a teacher, or nobody where a task ran. What else is said of an event, in other, is not read.
-- Course 1 is the front page, context 30 a person. Who is logged in as somebody else is not that learner.
with events as (
  select *, regexp_extract(eventname, '[^\\]+$') as name, try_cast(timecreated as bigint) as seconds
  from source
),
learners as (
  select *, case
      when name like 'user_enrolment%' or name in ('course_completed', 'course_module_completion_updated', 'user_graded', 'badge_awarded')
        or name in ('attempt_started', 'attempt_submitted')
        then coalesce(relateduserid, userid)
      else userid
    end as learner
  from events
)
select source_row,
  id as event_id,
  learner as learner_id,
  nullif(courseid, '1') as course_id,
  -- A number is seconds since 1970, a text a time that a tool has written.
  coalesce(cast(make_timestamp(seconds * 1000000) as varchar) || 'Z', timecreated) as occurred_at,
  case
    when name = 'user_enrolment_created' then 'registered'
    when name = 'user_enrolment_deleted' then 'unregistered'
    when name in ('course_viewed', 'course_module_viewed', 'chapter_viewed', 'discussion_viewed', 'page_viewed', 'content_page_viewed') then 'viewed'
    when name = 'attempt_started' then 'attempted'
    when name in ('attempt_submitted', 'assessable_submitted', 'submission_created') then 'submitted'
    when name in ('user_graded', 'submission_graded') then 'scored'
    when name = 'course_module_completion_updated' then 'progressed'
    when name = 'course_completed' then 'completed'
    when name in ('post_created', 'discussion_created', 'comment_created', 'message_sent') then 'commented'
    when name in ('course_searched', 'user_searched') or name like '%\_searched' escape '\' then 'searched'
    when name in ('sco_launched', 'meeting_joined') then 'launched'
    when name = 'badge_awarded' then 'earned'
    when name = 'user_loggedin' then 'logged_in'
    when name = 'user_loggedout' then 'logged_out'
    else name
  end as event_type,
  case when name = 'course_completed' then courseid when contextlevel = '70' then contextinstanceid else objectid end as activity_id,
  case when name = 'course_completed' then 'course' else regexp_replace(component, '^(mod|core)_', '') end as activity_type
from learners
-- An event without a user is a task's own.
where learner is not null and realuserid is null
