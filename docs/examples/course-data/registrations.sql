-- title: studentRegistration.csv: days from the beginning of the presentation become dates
-- entity: enrollment
-- personal: id_student(learner)
-- nulls: ?
-- export: snapshot
with registrations as (
  select *, make_date(try_cast(substr(code_presentation, 1, 4) as int),
    case substr(code_presentation, 5) when 'J' then 10 when 'B' then 2 end, 1) as began
  from source
)
select source_row, id_student as learner_id, code_module || '-' || code_presentation as course_id,
  began + try_cast(date_registration as int) as enrolled_at,
  began + try_cast(date_unregistration as int) as withdrawn_at,
  case when date_unregistration is null then 'active' else 'withdrawn' end as status
from registrations
