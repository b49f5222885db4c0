-- title: The roster knows who enrolled by the events
-- severity: warning
-- definition: Of a course that has both, no more than one in ten (and nine) of the learners with a registered event is
--   missing from the roster. Who is in the roster only is ordinary: not every platform sends such events. By course:
--   report reconciliation; pair by pair: reconciliation-differences.
with pairs as (
  select course_key, learner_key, max(from_roster) as in_roster, max(from_events) as in_events
  from (
    select course_key, learner_key, 1 as from_roster, 0 as from_events from staging.live_enrollment
    union all
    select course_key, learner_key, 0, 1
    from staging.stg_learning_event s
    where event_type = 'registered' and course_key <> 0
      and not exists (select 1 from staging.stg_deletion d where d.entity = 'learning_event' and d.event_id = s.event_id)
  ) t
  group by course_key, learner_key
),
by_course as (
  select course_key, sum(in_roster) as roster, sum(in_events) as events,
    count(case when in_roster = 0 then 1 end) as only_events
  from pairs
  group by course_key
)
select course_key, roster, events, only_events
from by_course
where roster > 0 and only_events >= 10 and only_events * 10 > events
