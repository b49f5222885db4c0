with clear as (
  select *, {{ learner('learner_id') }} as pseudonym from {{ csv('learners') }}
)
select pseudonym as learner_id, {{ person_key('pseudonym') }} as learner_key, {{ hmac("'lpa:v1:email::' || lower(trim(email))") }} as email_hash,
  country, region, try_cast(substr(birth_date, 1, 4) as integer) as birth_year, gender, education_level,
  try_cast(signed_up_on as date) as signed_up_on, plan, {{ instant('updated_at') }} as effective_at
from clear
