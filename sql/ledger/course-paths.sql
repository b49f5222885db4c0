-- title: Courses with the path of their category
select c.course_id, coalesce(k.path, '(none)') as path
from course c
left join dim_course_category k on k.category_key = c.category_key
where c.course_id is not null
