-- title: No key stands for two ids
-- severity: error
-- definition: Keys are 60 bits of a hash. Two ids with one key would be one learner or course in every report. A
--   dimension holds one id of each key: no staged row may have another.
select distinct 'learner' as entity, s.learner_key as entity_key, l.learner_id as one_id, s.learner_id as other_id
from (
  select learner_key, learner_id from staging.stg_learner
  union all
  select learner_key, learner_id from staging.stg_enrollment
  union all
  select learner_key, learner_id from staging.stg_course_completion
  union all
  select learner_key, learner_id from staging.stg_learning_event
) s
join dim_learner l on l.learner_key = s.learner_key and l.is_current
where l.learner_id <> s.learner_id
union all
select distinct 'course', s.course_key, c.course_id, s.course_id
from (
  select course_key, course_id from staging.stg_course
  union all
  select course_key, course_id from staging.stg_enrollment
  union all
  select course_key, course_id from staging.stg_course_completion
  union all
  select course_key, course_id from staging.stg_learning_event
) s
join dim_course c on c.course_key = s.course_key and c.is_current
where c.course_id <> s.course_id
union all
select distinct 'category', s.category_key, k.category_id, s.category_id
from (
  select category_key, category_id from staging.stg_course_category
  union all
  select category_key, category_id from staging.stg_course
) s
join dim_course_category k on k.category_key = s.category_key
where k.category_id <> s.category_id
union all
select distinct 'instructor', s.instructor_key, i.instructor_id, s.instructor_id
from (
  select instructor_key, instructor_id from staging.stg_instructor
  union all
  select instructor_key, instructor_id from staging.stg_course
) s
join dim_instructor i on i.instructor_key = s.instructor_key
where i.instructor_id <> s.instructor_id
