-- title: Every dimension has its row with key 0, "none"
-- severity: error
with counted as (
  select 'dim_course_category' as table_name, count(case when category_key = 0 then 1 end) as rows_found from dim_course_category
  union all
  select 'dim_instructor', count(case when instructor_key = 0 then 1 end) from dim_instructor
  union all
  select 'dim_course', count(case when course_key = 0 then 1 end) from dim_course
  union all
  select 'dim_learner', count(case when learner_key = 0 then 1 end) from dim_learner
)
select table_name, rows_found
from counted
where rows_found <> 1
