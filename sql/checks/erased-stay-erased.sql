-- title: Erased learners are gone
-- severity: error
-- definition: meta.erased has hashes of the pseudonyms that they had: these are nowhere.
with learner_seen as (
  select 'dim_learner' as table_name, learner_id from dim_learner where learner_key <> 0
  union all
  select 'stg_learner', learner_id from staging.stg_learner
)
select s.table_name, s.learner_id
from learner_seen s
join meta.erased e on e.learner_id = lpa_sha256('lpa:erased:' || s.learner_id)
