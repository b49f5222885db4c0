-- title: Enrollments that only the roster or only the events know
-- grain: a learner in a course
-- definition: (learner, course) pairs that are in staged enrollments and in no registered event, or the other way
--   round, with the first day and the sources that say so. Sums by course: report reconciliation.
-- cells: learners
-- narrows: category, country
-- param: course text null "a course_id; all courses when not given"
-- param: category text null "a category_id, or a path and all below it; all when not given"
-- param: country text null "of learners of this country; of all when not given"
with roster as (
  select learner_key, course_key, max(learner_id) as learner_id, max(course_id) as course_id,
    min(enrolled_date_key) as date_key, lpa_list(source, ', ') as sources
  from staging.live_enrollment
  group by learner_key, course_key
),
events as (
  select learner_key, course_key, max(learner_id) as learner_id, max(course_id) as course_id,
    min(date_key) as date_key, lpa_list(source, ', ') as sources
  from staging.stg_learning_event
  where event_type = 'registered' and course_key <> 0
  group by learner_key, course_key
),
differences as (
  select r.learner_key, r.course_key, r.course_id, r.learner_id, 'only in the roster' as difference, r.date_key, r.sources
  from roster r
  where not exists (select 1 from events v where v.learner_key = r.learner_key and v.course_key = r.course_key)
  union all
  select v.learner_key, v.course_key, v.course_id, v.learner_id, 'only in the events', v.date_key, v.sources
  from events v
  where not exists (select 1 from roster r where r.learner_key = v.learner_key and r.course_key = v.course_key)
)
select x.course_id, x.difference, d.full_date as first_day, x.sources, x.learner_id
from differences x
left join dim_date d on d.date_key = x.date_key
left join course c on c.course_key = x.course_key
left join dim_course_category k on k.category_key = c.category_key
left join learner l on l.learner_key = x.learner_key
where (cast($course as string) is null or x.course_id = cast($course as string))
  and (cast($category as string) is null or k.category_id = cast($category as string) or k.path = cast($category as string)
    or lpa_starts_with(k.path, cast($category as string) || '/'))
  and (cast($country as string) is null or l.country = cast($country as string))
order by course_id nulls last, difference nulls last, first_day nulls last, learner_id nulls last
