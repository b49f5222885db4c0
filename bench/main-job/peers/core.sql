-- Dimensions and facts of what dlt has staged, in its DuckDB.
create table dim_learner as
select * from stg_learner
where learner_key is not null
qualify row_number() over (partition by learner_key order by effective_at desc) = 1;

create table dim_course as
select * from stg_course
qualify row_number() over (partition by course_key order by updated_at desc) = 1;

create table dim_course_category as
select * from stg_course_category;

create table dim_instructor as
select cast('0x' || substr(instructor_id, 1, 15) as bigint) as instructor_key, * from stg_instructor;

create table fact_enrollment as
with latest as (
  select * from stg_enrollment
  where learner_key is not null and enrolled_at is not null
  qualify row_number() over (partition by enrollment_id order by effective_at desc) = 1
)
select enrollment_id, learner_key, course_key, row_number() over (partition by learner_key, course_key order by enrolled_at) as attempt,
  cast(strftime(enrolled_at, '%Y%m%d') as integer) as enrolled_date_key, enrolled_at, status, mode,
  cast(strftime(withdrawn_at, '%Y%m%d') as integer) as withdrawn_date_key, withdrawn_at, price_amount, price_currency
from latest
order by enrolled_date_key, course_key;

create table fact_course_completion as
with first_completion as (
  select * from stg_course_completion
  where learner_key is not null and completed_at is not null
  qualify row_number() over (partition by learner_key, course_key order by completed_at) = 1
),
enrolled as (
  select learner_key, course_key, min(enrolled_at) as enrolled_at from fact_enrollment group by all
)
select c.learner_key, c.course_key, cast(strftime(c.completed_at, '%Y%m%d') as integer) as completed_date_key, c.completed_at, c.final_score,
  c.grade, c.passed, date_diff('day', cast(e.enrolled_at as date), cast(c.completed_at as date)) as days_to_complete
from first_completion c
left join enrolled e on e.learner_key = c.learner_key and e.course_key = c.course_key
order by completed_date_key, c.course_key;

-- Few events come twice: only these are ordered.
create temp table twice as
select event_id from events_read group by event_id having count(*) > 1;

create table fact_learning_event as
select event_id, learner_key, course_key, date_key, occurred_at, event_type, activity_id, activity_type, session_id, duration_seconds, score, progress,
  quantity, attributes
from events_read e
where not exists (select 1 from twice t where t.event_id = e.event_id)
union all
(select event_id, learner_key, course_key, date_key, occurred_at, event_type, activity_id, activity_type, session_id, duration_seconds, score, progress,
  quantity, attributes
from events_read e
where exists (select 1 from twice t where t.event_id = e.event_id)
qualify row_number() over (partition by event_id) = 1)
order by date_key, course_key;

create table agg_course_day as
with gaps as (
  select course_key, date_key, learner_key, quantity,
    epoch_ms(lead(occurred_at) over (partition by course_key, learner_key order by occurred_at, event_id)) - epoch_ms(occurred_at) as gap
  from fact_learning_event
)
select course_key, date_key, count(distinct learner_key) as active_learners, count(*) as events, sum(quantity) as event_quantity,
  sum(case when gap <= 1800000 then gap else 0 end) / 1000 as time_on_task_seconds
from gaps
group by course_key, date_key;
