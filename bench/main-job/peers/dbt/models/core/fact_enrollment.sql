with latest as (
  select * from {{ ref('stg_enrollment') }}
  where learner_key is not null and enrolled_at is not null
  qualify row_number() over (partition by enrollment_id order by effective_at desc) = 1
)
select enrollment_id, learner_key, course_key, row_number() over (partition by learner_key, course_key order by enrolled_at) as attempt,
  {{ date_key('enrolled_at') }} as enrolled_date_key, enrolled_at, status, mode, {{ date_key('withdrawn_at') }} as withdrawn_date_key, withdrawn_at,
  price_amount, price_currency
from latest
order by enrolled_date_key, course_key
