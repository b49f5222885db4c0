-- title: Completion rate by course
-- grain: a course, after one row for all courses together
-- definition: Distinct (learner, course) pairs that are enrolled and completed ÷ pairs enrolled. Each rate names its
--   denominator: all enrolled pairs; those that viewed (an event other than registered, unregistered); those
--   that explored (course progress of 50 % or more). Course progress: activities completed ÷ required, else
--   the latest progress reported of the course. A rate counts only completions inside its denominator.
-- chart: progress x=course_title y=of_enrolled_percent
-- cells: enrolled, viewed, explored, completed
-- cells: enrolled, viewed, explored, completed add up to course_title = All courses
-- cells: viewed, explored, completed are part of enrolled
-- cells: of_enrolled_percent follows enrolled, completed
-- cells: of_viewed_percent is a share of viewed, completed
-- cells: of_explored_percent is a share of explored, completed
-- cells: joined by course_id with time-to-completion
-- cells: the order follows enrolled
-- narrows: category, country, since, until, cohort
-- param: course text null "a course_id; all courses when not given"
-- param: category text null "a category_id, or a path and all below it; all when not given"
-- param: country text null "of learners of this country; of all when not given"
-- param: since date null "enrolled on this day or later"
-- param: until date null "enrolled on this day or earlier"
-- param: cohort text null "of learners whose first enrollment in any course was in this ISO week, as 2026-W05"
with firsts as (
  select learner_key, min(enrolled_date_key) as date_key
  from fact_enrollment
  group by learner_key
),
cohorts as (
  select f.learner_key, cast(d.iso_year as string) || '-W' || lpad(cast(d.iso_week as string), 2, '0') as cohort
  from firsts f
  join dim_date d on d.date_key = f.date_key
),
pairs as (
  select distinct e.learner_key, e.course_key
  from fact_enrollment e
  join course c on c.course_key = e.course_key
  left join dim_course_category k on k.category_key = c.category_key
  left join learner l on l.learner_key = e.learner_key
  left join cohorts h on h.learner_key = e.learner_key
  where (cast($course as string) is null or c.course_id = cast($course as string))
    and (cast($category as string) is null or k.category_id = cast($category as string) or k.path = cast($category as string)
      or lpa_starts_with(k.path, cast($category as string) || '/'))
    and (cast($country as string) is null or l.country = cast($country as string))
    and (cast($since as date) is null or e.enrolled_date_key >= lpa_date_key(cast($since as date)))
    and (cast($until as date) is null or e.enrolled_date_key <= lpa_date_key(cast($until as date)))
    and (cast($cohort as string) is null or h.cohort = cast($cohort as string))
),
activity as (
  select learner_key, course_key, count(*) as views
  from fact_learning_event
  where course_key <> 0 and event_type not in ('registered', 'unregistered')
  group by learner_key, course_key
),
reached as (
  select p.course_key, case when a.views > 0 then 1 else 0 end as viewed,
    case when r.progress >= 0.5 then 1 else 0 end as explored,
    case when f.course_key is not null then 1 else 0 end as completed
  from pairs p
  left join activity a on a.learner_key = p.learner_key and a.course_key = p.course_key
  left join course_progress r on r.learner_key = p.learner_key and r.course_key = p.course_key
  left join fact_course_completion f on f.learner_key = p.learner_key and f.course_key = p.course_key
),
by_course as (
  select course_key, count(*) as enrolled, sum(r.viewed) as viewed, sum(r.explored) as explored, sum(r.completed) as completed,
    sum(r.viewed * r.completed) as viewed_completed, sum(r.explored * r.completed) as explored_completed
  from reached r
  group by course_key
),
scoped as (
  select course_key, enrolled, viewed, explored, completed, viewed_completed, explored_completed
  from by_course
  union all
  select 0, sum(enrolled), sum(viewed), sum(explored), sum(completed), sum(viewed_completed), sum(explored_completed)
  from by_course
)
select c.course_id, case when s.course_key = 0 then 'All courses' else coalesce(c.course_title, c.course_id) end as course_title,
  cast(s.enrolled as bigint) as enrolled, cast(s.viewed as bigint) as viewed, cast(s.explored as bigint) as explored,
  cast(s.completed as bigint) as completed,
  floor(1000 * cast(s.completed as double) / nullif(s.enrolled, 0) + 0.5) / 10 as of_enrolled_percent,
  floor(1000 * cast(s.viewed_completed as double) / nullif(s.viewed, 0) + 0.5) / 10 as of_viewed_percent,
  floor(1000 * cast(s.explored_completed as double) / nullif(s.explored, 0) + 0.5) / 10 as of_explored_percent
from scoped s
left join course c on c.course_key = s.course_key
where s.enrolled is not null
order by case when s.course_key = 0 then 0 else 1 end nulls last, enrolled desc nulls last, course_id nulls last
