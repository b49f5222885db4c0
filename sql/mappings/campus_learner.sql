-- title: Campus learners (learners.csv)
-- entity: learner
-- recognise: learner_id, email, signed_up_on
-- columns: learner_id, email, birth_date, gender, country, region, education_level, signed_up_on, plan, updated_at
-- personal: learner_id(learner), email(email)
-- generalise: birth_date(year)
-- not-personal: gender, country, region, education_level
-- export: append
--
-- The age at sign-up, so that a band never changes by itself: a load next year gives the same row.
with ages as (
  select *,
    try_cast(substr(signed_up_on, 1, 4) as integer) - try_cast(birth_date as integer) as age
  from source
)
select
  source_row,
  learner_id,
  email as email_hash,
  country,
  region,
  case
    when age < 18 then 'under 18'
    when age < 25 then '18-24'
    when age < 35 then '25-34'
    when age < 45 then '35-44'
    when age < 55 then '45-54'
    when age < 65 then '55-64'
    when age >= 65 then '65 and over'
  end as age_band,
  gender,
  education_level,
  signed_up_on,
  plan as "attributes.plan",
  updated_at as effective_at
from ages
