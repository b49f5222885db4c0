-- title: A learner's attempts at a course are numbered from 1 in the order of time
-- severity: error
with attempts as (
  select learner_key, course_key, attempt, enrolled_at,
    row_number() over (partition by learner_key, course_key order by attempt nulls last) as place,
    lag(enrolled_at) over (partition by learner_key, course_key order by attempt nulls last) as previous_at
  from fact_enrollment
)
select learner_key, course_key, attempt, enrolled_at, previous_at
from attempts
where attempt <> place or enrolled_at < previous_at
