-- title: studentRegistration.csv of the Open University Learning Analytics data set
-- entity: enrollment
-- personal: id_student(learner)
-- nulls: ?
-- export: snapshot
-- Dates are days before or after the presentation began: in October (J) or February (B) of its year. The data set does
-- not say on which day, so the first stands for it. Nobody knows when a row without date_registration began: rejected.
with registrations as (
  select *, make_date(try_cast(substr(code_presentation, 1, 4) as int), case substr(code_presentation, 5) when 'J' then 10 when 'B' then 2 end, 1) as began
  from source
)
select source_row, id_student as learner_id, code_module || '-' || code_presentation as course_id,
  began + try_cast(date_registration as int) as enrolled_at,
  began + try_cast(date_unregistration as int) as withdrawn_at,
  case when date_unregistration is null then 'active' else 'withdrawn' end as status
from registrations
