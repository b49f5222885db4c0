-- title: Enrollments
-- grain: one attempt of a learner at a course
-- definition: the roster's latest state of each enrollment that is not deleted; where a pair has no roster row, its registered and
--   unregistered events: each registration after none or after a withdrawal starts an attempt; its mode is the latest that
--   a registration, or an event of the activity type enrollment, tells before the attempt ends;
--   completed: by the roster, or by a completion of the enrolling day or later
-- materialise: incremental key(learner_key, course_key) window(touched_pair)
with states as (
  select enrollment_id, learner_key, course_key, enrolled_at, enrolled_date_key, status, mode, withdrawn_at,
    withdrawn_date_key, price_amount, price_currency, source
  from staging.live_enrollment s
  where enrollment_id in (select enrollment_id from touched_enrollment)  -- incremental
  qualify row_number() over (partition by enrollment_id order by effective_at desc nulls last, load_id desc nulls last, position desc nulls last) = 1
),
-- The latest state first, then its pair: an enrollment can be moved to another course.
roster as (
  select enrollment_id, learner_key, course_key, enrolled_at, enrolled_date_key, status, mode, withdrawn_at,
    withdrawn_date_key, price_amount, price_currency, source
  from states s
  where exists (select 1 from touched_pair t where t.learner_key = s.learner_key and t.course_key = s.course_key)  -- incremental
),
registrations as (
  select s.event_id, s.learner_key, s.course_key, s.event_type, s.occurred_at, s.date_key, s.source,
    lag(s.event_type) over (partition by s.learner_key, s.course_key order by s.occurred_at nulls last, s.event_id nulls last) as previous_type
  from fact_learning_event s
  join touched_pair t on t.learner_key = s.learner_key and t.course_key = s.course_key  -- incremental
  where s.event_type in ('registered', 'unregistered') and s.course_key <> 0
    and not exists (select 1 from roster r where r.learner_key = s.learner_key and r.course_key = s.course_key)
),
transitions as (
  select event_id, learner_key, course_key, event_type, occurred_at, date_key, source,
    lead(occurred_at) over (partition by learner_key, course_key order by occurred_at nulls last, event_id nulls last) as next_at,
    lead(date_key) over (partition by learner_key, course_key order by occurred_at nulls last, event_id nulls last) as next_date_key
  from registrations
  where event_type <> coalesce(previous_type, 'unregistered')
),
modes as (
  select s.event_id, s.learner_key, s.course_key, s.occurred_at, lpa_text(s.attributes, 'mode') as mode
  from fact_learning_event s
  join touched_pair t on t.learner_key = s.learner_key and t.course_key = s.course_key  -- incremental
  where (s.event_type = 'registered' or s.activity_type = 'enrollment') and s.course_key <> 0
),
latest_mode as (
  select t.event_id, t.date_key, m.mode
  from transitions t
  join modes m on m.learner_key = t.learner_key and m.course_key = t.course_key
  where t.event_type = 'registered' and m.mode is not null
    and m.occurred_at >= t.occurred_at and m.occurred_at < coalesce(t.next_at, timestamp '9999-12-31 00:00:00')
  qualify row_number() over (partition by t.event_id, t.date_key order by m.occurred_at desc nulls last, m.event_id desc nulls last) = 1
),
attempts as (
  select enrollment_id, learner_key, course_key, enrolled_at, enrolled_date_key, status, mode, withdrawn_at,
    withdrawn_date_key, price_amount, price_currency, source
  from roster
  union all
  select t.event_id, t.learner_key, t.course_key, t.occurred_at, t.date_key, cast(null as string), m.mode, t.next_at,
    t.next_date_key, cast(null as decimal(12, 2)), cast(null as string), t.source
  from transitions t
  left join latest_mode m on m.event_id = t.event_id and m.date_key = t.date_key
  where t.event_type = 'registered'
),
done as (
  select learner_key, course_key, max(completed_date_key) as completed_date_key
  from (
    select learner_key, course_key, completed_date_key from staging.live_course_completion
    union all
    select learner_key, course_key, date_key
    from fact_learning_event
    where event_type in ('completed', 'passed') and activity_type = 'course'
  ) c
  where exists (select 1 from touched_pair t where t.learner_key = c.learner_key and t.course_key = c.course_key)  -- incremental
  group by learner_key, course_key
)
select a.enrollment_id, a.learner_key, a.course_key,
  cast(row_number() over (partition by a.learner_key, a.course_key order by a.enrolled_at nulls last, a.enrollment_id nulls last) as int) as attempt,
  a.enrolled_date_key, a.enrolled_at,
  case
    when a.status = 'withdrawn' or a.withdrawn_at is not null then 'withdrawn'
    when a.status = 'completed' or d.completed_date_key >= a.enrolled_date_key then 'completed'
    else 'active'
  end as status,
  a.mode, a.withdrawn_date_key, a.withdrawn_at, a.price_amount, a.price_currency, a.source
from attempts a
left join done d on d.learner_key = a.learner_key and d.course_key = a.course_key
