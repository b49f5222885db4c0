-- title: Campus courses (courses.json)
-- entity: course
-- recognise: course_id, course_title
-- columns: course_id, course_title, category_id, instructor_id, co_instructor_ids, language, difficulty
-- columns: duration_hours number, starts_on, ends_on, published_on, required_activities number, updated_at
-- personal: instructor_id(instructor), co_instructor_ids(instructor[])
-- export: append
select
  course_id,
  course_title,
  category_id,
  instructor_id,
  co_instructor_ids as instructor_ids,
  language,
  difficulty,
  duration_hours,
  starts_on,
  ends_on,
  published_on,
  try_cast(required_activities as integer) as "attributes.required_activities",
  updated_at as effective_at
from source
