-- title: No event came from two sources
-- severity: warning
-- definition: The same learner, course, type, activity and second in two sources: probably one event through two
--   converters. Reported, never dropped; inside one source it is ordinary. By course and day.
with several as (
  select count(*) as sources
  from (select distinct source from fact_learning_event) t
),
alike as (
  select v.course_key, v.date_key, min(v.source) as one_source, max(v.source) as other_source
  from fact_learning_event v
  cross join several n
  where n.sources > 1
  group by v.learner_key, v.course_key, v.date_key, v.event_type, v.activity_id,
    floor(lpa_seconds(timestamp '1970-01-01 00:00:00', v.occurred_at))
  having min(v.source) <> max(v.source)
)
select course_key, date_key, one_source, other_source, count(*) as rows_found
from alike
group by course_key, date_key, one_source, other_source
