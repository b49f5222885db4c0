-- title: Erased learners are gone
-- severity: error
select 'dim_learner' as table_name, e.learner_id
from meta.erased e
where exists (select 1 from dim_learner l where l.learner_id = e.learner_id)
union all
select 'stg_learner', e.learner_id
from meta.erased e
where exists (select 1 from staging.stg_learner s where s.learner_id = e.learner_id)
