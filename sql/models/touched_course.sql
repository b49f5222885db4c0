-- title: Courses whose versions a batch must make anew
-- grain: a course that the batch's loads describe, one that they are the first to mention; where models are selected, also the row
--   "none", which stays as it is otherwise
-- materialise: temporary
select course_key from staging.stg_course where load_id in (select load_id from batch_load)  -- brought by course
union
select s.course_key from staging.stg_enrollment s where s.load_id in (select load_id from batch_load)  -- brought by enrollment
  and not exists (select 1 from dim_course d where d.course_key = s.course_key)  -- incremental
union
select s.course_key from staging.stg_course_completion s where s.load_id in (select load_id from batch_load)  -- brought by course_completion
  and not exists (select 1 from dim_course d where d.course_key = s.course_key)  -- incremental
union
select s.course_key from batch_event s  -- brought by learning_event
where not exists (select 1 from dim_course d where d.course_key = s.course_key)  -- incremental
union
-- A deletion alone makes no course known.
select d.course_key  -- brought by course
from staging.stg_deletion d
where d.entity = 'course' and d.load_id in (select load_id from batch_load)
  and exists (select 1 from staging.stg_course c where c.course_key = d.course_key)
union
select 0 as course_key  -- brought by selection
