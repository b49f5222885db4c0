-- title: Every learner, course, category and instructor has its id, and every withdrawal its day
-- severity: error
-- definition: The engines refuse a null where a column is declared not null; these may be null only in the row with key 0,
--   or of who has not withdrawn. Of who only teaches beside others, courses tell no id.
select 'dim_learner' as table_name, cast(learner_key as string) as what from dim_learner where learner_key <> 0 and learner_id is null
union all
select 'dim_course', cast(course_key as string) from dim_course where course_key <> 0 and course_id is null
union all
select 'dim_course_category', cast(category_key as string) from dim_course_category where category_key <> 0 and category_id is null
union all
select 'dim_instructor', cast(instructor_key as string)
from dim_instructor i
where instructor_key <> 0 and instructor_id is null
  and not exists (select 1 from bridge_course_instructor b where b.instructor_key = i.instructor_key)
union all
select 'fact_enrollment', enrollment_id
from fact_enrollment
where (withdrawn_at is null) <> (withdrawn_date_key is null)
