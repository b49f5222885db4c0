with clear as (
  select *, {{ learner('learner_id') }} as pseudonym from {{ csv('enrollments') }}
)
select enrollment_id, pseudonym as learner_id, {{ person_key('pseudonym') }} as learner_key, course_id, {{ id_key('course', 'course_id') }} as course_key,
  {{ instant('enrolled_at') }} as enrolled_at, status, mode, {{ instant('withdrawn_at') }} as withdrawn_at,
  try_cast(price_amount as decimal(12, 2)) as price_amount, price_currency, {{ instant('updated_at') }} as effective_at
from clear
