-- title: Canvas Data 2: courses
-- entity: course
-- recognise: $.key.id, $.value.course_code, $.value.name, $.value.workflow_state
-- columns: id = $.key.id | $."key.id", action = $.meta.action | $."meta.action", since = $.meta.ts | $."meta.ts"
-- columns: title = $.value.name | $."value.name", code = $.value.course_code | $."value.course_code"
-- columns: starts = $.value.start_at | $."value.start_at", ends = $.value.conclude_at | $."value.conclude_at"
-- columns: language = $.value.locale | $."value.locale"
-- not-personal: title
-- nulls: "\N"
-- export: delta
select source_row, id as course_id, title as course_title, language,
  cast(try_cast(starts as timestamptz) as date) as starts_on,
  cast(try_cast(ends as timestamptz) as date) as ends_on,
  code as "attributes.code",
  since as effective_at,
  coalesce(action, 'U') = 'D' as deleted
from source
