-- title: Rows of the facts by what names them, and a hash of the rest
-- grain: a row of a fact table
select 'fact_enrollment' as fact, enrollment_id as id,
  lpa_hash(learner_key || '|' || course_key || '|' || attempt || '|' || cast(enrolled_at as string) || '|' || status || '|'
    || coalesce(mode, '') || '|' || coalesce(cast(withdrawn_at as string), '') || '|' || coalesce(cast(price_amount as string), '')
    || '|' || coalesce(price_currency, '') || '|' || source) as rest
from fact_enrollment
union all
select 'fact_learning_event', event_id,
  lpa_hash(learner_key || '|' || course_key || '|' || cast(occurred_at as string) || '|' || event_type || '|' || coalesce(activity_id, '')
    || '|' || coalesce(activity_type, '') || '|' || coalesce(session_id, '') || '|' || coalesce(cast(duration_seconds as string), '')
    || '|' || coalesce(cast(score as string), '') || '|' || coalesce(cast(progress as string), '') || '|' || cast(quantity as string)
    || '|' || source || '|' || coalesce(lpa_json(attributes), ''))
from fact_learning_event
union all
select 'fact_course_completion', learner_key || '/' || course_key,
  lpa_hash(cast(completed_at as string) || '|' || coalesce(cast(final_score as string), '') || '|' || coalesce(grade, '') || '|'
    || coalesce(cast(passed as string), '') || '|' || coalesce(cast(days_to_complete as string), '') || '|' || source)
from fact_course_completion
