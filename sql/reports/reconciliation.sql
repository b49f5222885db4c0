-- title: Enrollments by roster against enrollments by events
-- grain: a course, after one row for all courses together
-- definition: Distinct (learner, course) pairs in staged enrollments (the roster) and in staged registered events.
--   The roster wins in fact_enrollment. The pairs behind the differences: report reconciliation-differences.
-- chart: bar x=course_id y=only_roster,only_events
-- cells: roster, events, matched, only_roster, only_events
-- cells: roster, events, matched, only_roster, only_events add up to course_id = All courses
-- cells: roster = matched + only_roster
-- cells: events = matched + only_events
-- cells: roster by course_id is enrolled of completion-rate
-- narrows: course, category, country
-- param: course text null "a course_id; all courses when not given"
-- param: category text null "a category_id, or a path and all below it; all when not given"
-- param: country text null "of learners of this country; of all when not given"
with roster as (
  select distinct learner_key, course_key, course_id from staging.live_enrollment
),
events as (
  select distinct learner_key, course_key, course_id
  from staging.stg_learning_event
  where event_type = 'registered' and course_key <> 0
),
pairs as (
  select course_key, learner_key, max(course_id) as course_id, sum(from_roster) as in_roster, sum(from_events) as in_events
  from (
    select course_key, learner_key, course_id, 1 as from_roster, 0 as from_events from roster
    union all
    select course_key, learner_key, course_id, 0, 1 from events
  ) t
  group by course_key, learner_key
),
by_course as (
  select p.course_key, max(p.course_id) as course_id, count(case when p.in_roster > 0 then 1 end) as roster,
    count(case when p.in_events > 0 then 1 end) as events, count(case when p.in_roster > 0 and p.in_events > 0 then 1 end) as matched
  from pairs p
  left join course c on c.course_key = p.course_key
  left join dim_course_category k on k.category_key = c.category_key
  left join learner l on l.learner_key = p.learner_key
  where (cast($course as string) is null or p.course_id = cast($course as string))
    and (cast($category as string) is null or k.category_id = cast($category as string) or k.path = cast($category as string)
      or lpa_starts_with(k.path, cast($category as string) || '/'))
    and (cast($country as string) is null or l.country = cast($country as string))
  group by p.course_key
),
scoped as (
  select 1 as section, course_id, roster, events, matched from by_course
  union all
  select 0, 'All courses', sum(roster), sum(events), sum(matched) from by_course
)
select s.course_id, cast(s.roster as bigint) as roster, cast(s.events as bigint) as events, cast(s.matched as bigint) as matched,
  cast(s.roster - s.matched as bigint) as only_roster, cast(s.events - s.matched as bigint) as only_events
from scoped s
where s.roster is not null
order by s.section nulls last, s.course_id nulls last
