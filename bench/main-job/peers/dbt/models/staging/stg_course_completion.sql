with clear as (
  select *, {{ learner('learner_id') }} as pseudonym from {{ csv('completions') }}
)
select pseudonym as learner_id, {{ person_key('pseudonym') }} as learner_key, course_id, {{ id_key('course', 'course_id') }} as course_key,
  {{ instant('completed_at') }} as completed_at, try_cast(final_score as double) as final_score, grade, try_cast(passed as boolean) as passed
from clear
