-- title: studentInfo.csv: who completed, on the last day of the presentation
-- entity: course_completion
-- personal: id_student(learner)
-- export: snapshot
-- Another file says how long a presentation takes: a mapping reads one file, so the lengths are written here.
with lengths (module, presentation, days) as (
  values ('AST', '2013J', 268), ('BIO', '2014B', 234)
),
finished as (
  select s.*, l.days, make_date(try_cast(substr(code_presentation, 1, 4) as int),
    case substr(code_presentation, 5) when 'J' then 10 when 'B' then 2 end, 1) as began
  from source s
  left join lengths l on l.module = s.code_module and l.presentation = s.code_presentation
  where final_result in ('Pass', 'Distinction')
)
select source_row, id_student as learner_id, code_module || '-' || code_presentation as course_id,
  began + days as completed_at, final_result as grade, true as passed
from finished
