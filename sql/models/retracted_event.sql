-- title: Events that the loads of a batch take back
-- grain: a staged event, of whatever load
-- definition: they leave the facts, and what was made of them is made anew
-- materialise: temporary
select s.event_id, s.learner_key, s.course_key, s.date_key,
  case when s.event_type in ('registered', 'unregistered') or s.activity_type = 'enrollment'
    or s.event_type in ('completed', 'passed') and s.activity_type = 'course' then 1 else 0 end as changes_pair
from staging.stg_learning_event s
where s.event_id in (
  select d.event_id from staging.stg_deletion d
  where d.entity = 'learning_event' and d.load_id in (select load_id from batch_load))
