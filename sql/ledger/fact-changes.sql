-- title: What a full build changed of the facts
-- grain: a fact table
-- definition: fact_now stands for the rows of fact-state as they are by now.
select coalesce(a.fact, b.fact) as fact, sum(case when b.fact is null then 1 else 0 end) as added,
  sum(case when a.fact is null then 1 else 0 end) as removed, sum(case when a.rest <> b.rest then 1 else 0 end) as changed
from fact_now a
full join fact_before b on b.fact = a.fact and b.id = a.id
group by coalesce(a.fact, b.fact)
order by fact
