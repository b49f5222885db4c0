-- title: Canvas Data 2: users
-- entity: learner
-- recognise: $.key.id, $.value.sortable_name, $.value.workflow_state
-- columns: id = $.key.id | $."key.id", action = $.meta.action | $."meta.action", since = $.meta.ts | $."meta.ts"
-- columns: created = $.value.created_at | $."value.created_at"
-- personal: id(learner)
-- nulls: "\N"
-- export: delta
select source_row, id as learner_id,
  cast(try_cast(created as timestamptz) as date) as signed_up_on,
  since as effective_at,
  coalesce(action, 'U') = 'D' as deleted
from source
