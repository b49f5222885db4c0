-- title: courses.csv: a presentation is a course, from the first of its month
-- entity: course
-- export: snapshot
with presentations as (
  select *, make_date(try_cast(substr(code_presentation, 1, 4) as int),
    case substr(code_presentation, 5) when 'J' then 10 when 'B' then 2 end, 1) as began
  from source
)
select source_row, code_module || '-' || code_presentation as course_id, code_module as course_title,
  began as starts_on, began + try_cast(module_presentation_length as int) as ends_on
from presentations
