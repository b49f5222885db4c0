-- title: Learners of the rosters and their addresses, where one of both is asked for
select distinct learner_id, email_hash
from staging.stg_learner
where contains($people, learner_id) or contains($people, email_hash)
