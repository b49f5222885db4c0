-- title: Those among people whom rosters or facts have
select learner_id as pseudonym from core.dim_learner where contains($people, learner_id)
union
select learner_id from staging.stg_learner where contains($people, learner_id)
union
select email_hash from staging.stg_learner where contains($people, email_hash)
