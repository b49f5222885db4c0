-- title: What a report's parameter "cohort" can name
with firsts as (
  select learner_key, min(enrolled_date_key) as date_key
  from core.fact_enrollment
  group by learner_key
)
select distinct cast(d.iso_year as string) || '-W' || lpad(cast(d.iso_week as string), 2, '0') as cohort
from firsts f
join core.dim_date d on d.date_key = f.date_key
