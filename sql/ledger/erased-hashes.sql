-- title: Erased learners, who are not to come back
-- grain: a pseudonym that an erased learner had
select distinct learner_id
from meta.erased
order by learner_id
