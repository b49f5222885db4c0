-- Few events come twice: only these are ordered.
with twice as (
  select event_id from {{ ref('events_read') }} group by event_id having count(*) > 1
),
good as (
  select event_id, learner_id, {{ person_key('learner_id') }} as learner_key, course_id, coalesce({{ id_key('course', 'course_id') }}, 0) as course_key,
    {{ date_key('occurred_at') }} as date_key, occurred_at, event_type, activity_id, activity_type, session_id, duration_seconds, score, progress, quantity,
    attributes
  from {{ ref('events_read') }}
  where {{ fault() }} is null
)
select * from good g
where not exists (select 1 from twice t where t.event_id = g.event_id)
union all
(select * from good g
where exists (select 1 from twice t where t.event_id = g.event_id)
qualify row_number() over (partition by event_id) = 1)
