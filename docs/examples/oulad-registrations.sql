-- title: studentRegistration.csv of the Open University Learning Analytics data set
-- entity: enrollment
-- personal: id_student(learner)
-- nulls: ?
-- export: snapshot
-- Dates are days before or after the presentation began, 1 October (J) or 1 February (B) of its year.
with registrations as (
  select *, make_date(cast(substr(code_presentation, 1, 4) as int), case substr(code_presentation, 5) when 'J' then 10 else 2 end, 1) as began
  from source
)
select source_row, id_student as learner_id, code_module || '-' || code_presentation as course_id,
  began + cast(date_registration as int) as enrolled_at,
  case when cast(date_unregistration as int) >= cast(date_registration as int) then began + cast(date_unregistration as int) end as withdrawn_at,
  case when date_unregistration is not null then 'withdrawn' else 'active' end as status
from registrations
