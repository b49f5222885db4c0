-- title: studentVle.csv: clicks of a day on a page
-- entity: learning_event
-- personal: id_student(learner)
-- not-personal: id_site
-- export: append
with clicks as (
  select *, make_date(try_cast(substr(code_presentation, 1, 4) as int),
    case substr(code_presentation, 5) when 'J' then 10 when 'B' then 2 end, 1) as began
  from source
)
select source_row, id_student as learner_id, code_module || '-' || code_presentation as course_id,
  began + try_cast("date" as int) as occurred_at, 'viewed' as event_type,
  id_site as activity_id, 'page' as activity_type, try_cast(sum_click as double) as quantity
from clicks
