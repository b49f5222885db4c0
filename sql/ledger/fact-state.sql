-- title: Rows of the facts by a hash of what names them, and one of the rest
-- grain: a row of a fact table
select 'fact_enrollment' as fact, lpa_hash(enrollment_id) as id,
  lpa_hash(learner_key, course_key, attempt, enrolled_at, status, mode, withdrawn_at, price_amount, price_currency, source) as rest
from fact_enrollment
union all
select 'fact_learning_event', lpa_hash(event_id),
  lpa_hash(learner_key, course_key, occurred_at, event_type, activity_id, activity_type, session_id, duration_seconds, score,
    progress, quantity, source, lpa_json(attributes))
from fact_learning_event
union all
select 'fact_course_completion', lpa_hash(learner_key, course_key),
  lpa_hash(completed_at, final_score, grade, passed, days_to_complete, source)
from fact_course_completion
