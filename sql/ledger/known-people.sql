-- title: Those among people whom rosters or facts have
select learner_id as pseudonym from core.dim_learner where contains($people, learner_id)
union
select learner_id from staging.stg_learner where contains($people, learner_id)
union
select learner_id from staging.stg_enrollment where contains($people, learner_id)
union
select learner_id from staging.stg_learning_event where contains($people, learner_id)
union
select learner_id from staging.stg_course_completion where contains($people, learner_id)
union
select email_hash from staging.stg_learner where contains($people, email_hash)
