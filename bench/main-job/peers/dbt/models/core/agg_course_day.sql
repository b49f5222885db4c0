with gaps as (
  select course_key, date_key, learner_key, quantity,
    epoch_ms(lead(occurred_at) over (partition by course_key, learner_key order by occurred_at, event_id)) - epoch_ms(occurred_at) as gap
  from {{ ref('fact_learning_event') }}
)
select course_key, date_key, count(distinct learner_key) as active_learners, count(*) as events, sum(quantity) as event_quantity,
  sum(case when gap <= 1800000 then gap else 0 end) / 1000 as time_on_task_seconds
from gaps
group by course_key, date_key
