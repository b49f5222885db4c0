-- title: Learners whose versions a batch must make anew
-- grain: a learner that the batch's loads describe, one that they are the first to mention; where models are selected, also the row
--   "none", which stays as it is otherwise
-- materialise: temporary
select learner_key from staging.stg_learner where load_id in (select load_id from batch_load)  -- brought by learner
union
select s.learner_key from staging.stg_enrollment s where s.load_id in (select load_id from batch_load)  -- brought by enrollment
  and not exists (select 1 from dim_learner d where d.learner_key = s.learner_key)  -- incremental
union
select s.learner_key from staging.stg_course_completion s where s.load_id in (select load_id from batch_load)  -- brought by course_completion
  and not exists (select 1 from dim_learner d where d.learner_key = s.learner_key)  -- incremental
union
select s.learner_key from batch_event s  -- brought by learning_event
where not exists (select 1 from dim_learner d where d.learner_key = s.learner_key)  -- incremental
union
-- A deletion alone makes nobody known.
select d.learner_key  -- brought by learner
from staging.stg_deletion d
where d.entity = 'learner' and d.load_id in (select load_id from batch_load)
  and exists (select 1 from staging.stg_learner l where l.learner_key = d.learner_key)
union
select 0 as learner_key  -- brought by selection
