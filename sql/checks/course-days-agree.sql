-- title: agg_course_day adds up to the facts
-- severity: error
-- definition: Enrollments, withdrawals, completions, events and quantity of each course and day. Quantities may differ
--   by the rounding of a sum.
with sides as (
  select course_key, date_key, enrollments, withdrawals, completions, events, event_quantity from agg_course_day
  union all
  select course_key, date_key, 0, 0, 0, -count(*), -sum(quantity)
  from fact_learning_event
  group by course_key, date_key
  union all
  select course_key, enrolled_date_key, -count(*), 0, 0, 0, 0
  from fact_enrollment
  group by course_key, enrolled_date_key
  union all
  select course_key, withdrawn_date_key, 0, -count(*), 0, 0, 0
  from fact_enrollment
  where withdrawn_date_key is not null
  group by course_key, withdrawn_date_key
  union all
  select course_key, completed_date_key, 0, 0, -count(*), 0, 0
  from fact_course_completion
  group by course_key, completed_date_key
)
select course_key, date_key, sum(enrollments) as enrollments_over, sum(withdrawals) as withdrawals_over,
  sum(completions) as completions_over, sum(events) as events_over, sum(event_quantity) as quantity_over
from sides
group by course_key, date_key
having sum(enrollments) <> 0 or sum(withdrawals) <> 0 or sum(completions) <> 0 or sum(events) <> 0 or abs(sum(event_quantity)) > 0.001
