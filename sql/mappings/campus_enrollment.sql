-- title: Campus enrollments (enrollments.csv)
-- entity: enrollment
-- recognise: enrollment_id, learner_id, course_id, enrolled_at
-- columns: enrollment_id, learner_id, course_id, enrolled_at, status, mode, withdrawn_at
-- columns: price_amount, price_currency, updated_at
-- personal: learner_id(learner)
-- export: append
select
  enrollment_id,
  learner_id,
  course_id,
  enrolled_at,
  status,
  mode,
  withdrawn_at,
  price_amount,
  price_currency,
  updated_at as effective_at
from source
