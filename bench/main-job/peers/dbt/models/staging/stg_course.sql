select * exclude (instructor_id, co_instructor_ids), {{ id_key('course', 'course_id') }} as course_key, {{ id_key('category', 'category_id') }} as category_key,
  {{ person_key(instructor('instructor_id')) }} as instructor_key
from read_json('{{ env_var("BENCH_EXPORTS") }}/courses.json', format = 'array')
