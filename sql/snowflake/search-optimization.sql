-- title: What search optimization would cost
-- grain: a cost of a column that single learners are looked up by
-- definition: Search optimization (Enterprise Edition) finds few rows of a large table by equality, where clustering by date
--   does not help: the history of one learner. Worth its storage and upkeep only where such questions are asked often. An
--   estimate of Snowflake itself, which samples the table.
-- table: table_name, method, cost, amount, unit, per
--
-- Written by the documentation of Snowflake: the emulator has none of this, and no account was at hand to run it.
with asked as (
  select 'core.fact_learning_event' as table_name, 'equality(learner_key)' as method,
    parse_json(system$estimate_search_optimization_costs('core.fact_learning_event', 'EQUALITY(learner_key)')) as told
  union all
  select 'core.fact_enrollment', 'equality(learner_key)',
    parse_json(system$estimate_search_optimization_costs('core.fact_enrollment', 'EQUALITY(learner_key)'))
)
select a.table_name, a.method, cast(p.value:name as varchar) as cost, cast(p.value:costs.value as double) as amount,
  cast(p.value:costs.unit as varchar) as unit, cast(p.value:costs.perTimeUnit as varchar) as per,
  cast(p.value:comment as varchar) as remark
from asked a, lateral flatten(input => a.told:costPositions) p
order by a.table_name, p.index
