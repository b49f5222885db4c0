-- title: What the events of a batch speak of
-- grain: a learner in a course on a day, by the events of the batch's loads
-- definition: read once, for those models that ask what the batch touches; and of those events that its loads take back
-- materialise: temporary
select learner_key, course_key, date_key, max(changes_pair) as changes_pair
from (
  select learner_key, course_key, date_key,
    case when event_type in ('registered', 'unregistered') or activity_type = 'enrollment'
      or event_type in ('completed', 'passed') and activity_type = 'course' then 1 else 0 end as changes_pair
  from staging.stg_learning_event
  where load_id in (select load_id from batch_load)
  union all
  select learner_key, course_key, date_key, changes_pair from retracted_event
) s
group by learner_key, course_key, date_key
