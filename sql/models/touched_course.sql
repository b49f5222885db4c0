-- title: Courses whose versions a batch must make anew
-- grain: a course that the batch's loads speak of, and the row "none"
-- materialise: temporary
select course_key from staging.stg_course where load_id in (select load_id from batch_load)
union
select course_key from staging.stg_enrollment where load_id in (select load_id from batch_load)
union
select course_key from staging.stg_course_completion where load_id in (select load_id from batch_load)
union
select course_key from staging.stg_learning_event where load_id in (select load_id from batch_load)
union
-- A deletion alone makes no course known.
select d.course_key
from staging.stg_deletion d
where d.entity = 'course' and d.load_id in (select load_id from batch_load)
  and exists (select 1 from staging.stg_course c where c.course_key = d.course_key)
union
select 0
