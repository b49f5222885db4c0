-- title: Learner and course pairs whose enrollments or completions a batch must recompute
-- grain: a (learner, course) pair that the batch's loads speak of, or that an enrollment of theirs belonged to in
--   another of its states
-- materialise: temporary
select s.learner_key, s.course_key  -- brought by enrollment
from staging.stg_enrollment s
where exists (
  select 1 from staging.stg_enrollment b
  where b.enrollment_id = s.enrollment_id and b.load_id in (select load_id from batch_load))
union
select s.learner_key, s.course_key  -- brought by enrollment
from staging.stg_enrollment s
where exists (
  select 1 from staging.stg_deletion d
  where d.entity = 'enrollment' and d.enrollment_id = s.enrollment_id and d.load_id in (select load_id from batch_load))
union
select learner_key, course_key  -- brought by course_completion
from staging.stg_deletion
where entity = 'course_completion' and load_id in (select load_id from batch_load)
union
select learner_key, course_key  -- brought by course_completion
from staging.stg_course_completion
where load_id in (select load_id from batch_load)
union
select learner_key, course_key  -- brought by learning_event
from batch_event
where course_key <> 0 and changes_pair = 1
