-- title: Every course finds its category and its instructors
-- severity: error
select 'dim_course' as table_name, c.course_key, 'category' as dimension, c.category_key as missing_key
from dim_course c
where not exists (select 1 from dim_course_category k where k.category_key = c.category_key)
union all
select 'dim_course', c.course_key, 'instructor', c.instructor_key
from dim_course c
where not exists (select 1 from dim_instructor i where i.instructor_key = c.instructor_key)
union all
select 'bridge_course_instructor', b.course_key, 'instructor', b.instructor_key
from bridge_course_instructor b
where not exists (select 1 from dim_instructor i where i.instructor_key = b.instructor_key)
union all
select 'bridge_course_instructor', b.course_key, 'course', b.course_key
from bridge_course_instructor b
where not exists (select 1 from course c where c.course_key = b.course_key)
