with first_completion as (
  select * from {{ ref('stg_course_completion') }}
  where learner_key is not null and completed_at is not null
  qualify row_number() over (partition by learner_key, course_key order by completed_at) = 1
),
enrolled as (
  select learner_key, course_key, min(enrolled_at) as enrolled_at from {{ ref('fact_enrollment') }} group by all
)
select c.learner_key, c.course_key, {{ date_key('c.completed_at') }} as completed_date_key, c.completed_at, c.final_score, c.grade, c.passed,
  date_diff('day', cast(e.enrolled_at as date), cast(c.completed_at as date)) as days_to_complete
from first_completion c
left join enrolled e on e.learner_key = c.learner_key and e.course_key = c.course_key
order by completed_date_key, c.course_key
