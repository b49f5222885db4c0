-- title: Canvas Live Events: courses
-- entity: course
-- recognise: $.metadata.event_name, $.metadata.event_time, body
-- columns: event = $.metadata.event_name, since = $.metadata.event_time
-- columns: course = $.body.course_id, title = $.body.name, updated = $.body.updated_at
-- personal: title(drop unless event = course_created | course_updated)
-- not-personal: title
-- export: append
select source_row, course as course_id, title as course_title, coalesce(updated, since) as effective_at
from source
where event in ('course_created', 'course_updated')
