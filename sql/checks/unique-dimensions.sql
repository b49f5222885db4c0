-- title: Each day, category, instructor and teaching is there once
-- severity: error
select 'dim_date' as table_name, cast(date_key as string) as what, count(*) as rows_found
from dim_date
group by date_key
having count(*) > 1
union all
select 'dim_course_category', cast(category_key as string), count(*)
from dim_course_category
group by category_key
having count(*) > 1
union all
select 'dim_instructor', cast(instructor_key as string), count(*)
from dim_instructor
group by instructor_key
having count(*) > 1
union all
select 'bridge_course_instructor', cast(course_key as string) || '/' || cast(instructor_key as string), count(*)
from bridge_course_instructor
group by course_key, instructor_key
having count(*) > 1
