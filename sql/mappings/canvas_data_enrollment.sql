-- title: Canvas Data 2: enrollments of students
-- entity: enrollment
-- recognise: $.key.id, $.value.user_id, $.value.course_id, $.value.type, $.value.workflow_state, $.value.course_section_id
-- columns: id = $.key.id | $."key.id", action = $.meta.action | $."meta.action", since = $.meta.ts | $."meta.ts"
-- columns: learner = $.value.user_id | $."value.user_id", course = $.value.course_id | $."value.course_id"
-- columns: kind = $.value.type | $."value.type", state = $.value.workflow_state | $."value.workflow_state"
-- columns: created = $.value.created_at | $."value.created_at", completed = $.value.completed_at | $."value.completed_at"
-- columns: updated = $.value.updated_at | $."value.updated_at"
-- personal: learner(learner)
-- nulls: "\N"
-- export: delta
--
-- After the Data Access Platform's tables of Canvas, as JSON lines, CSV or TSV. A row that is deleted has its key only.
with states as (
  select *, coalesce(action, 'U') = 'D' as is_deleted, state in ('deleted', 'inactive', 'rejected') as is_over
  from source
)
select source_row, id as enrollment_id, learner as learner_id, course as course_id, created as enrolled_at,
  case when is_over then 'withdrawn' when state = 'completed' then 'completed' when state is not null then 'active' end as status,
  case when is_over then coalesce(completed, updated, since) end as withdrawn_at,
  since as effective_at,
  is_deleted as deleted
from states
where is_deleted or kind = 'StudentEnrollment'
