-- title: Learners whose versions a batch must make anew
-- grain: a learner that the batch's loads speak of, and the row "none"
-- materialise: temporary
select learner_key from staging.stg_learner where load_id in (select load_id from batch_load)
union
select learner_key from staging.stg_enrollment where load_id in (select load_id from batch_load)
union
select learner_key from staging.stg_course_completion where load_id in (select load_id from batch_load)
union
select learner_key from staging.stg_learning_event where load_id in (select load_id from batch_load)
union
-- A deletion alone makes nobody known.
select d.learner_key
from staging.stg_deletion d
where d.entity = 'learner' and d.load_id in (select load_id from batch_load)
  and exists (select 1 from staging.stg_learner l where l.learner_key = d.learner_key)
union
select 0
