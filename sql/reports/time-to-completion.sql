-- title: Time to completion by course
-- grain: a course, after one row for all courses together
-- definition: Days from a learner's enrollment to the first completion of the course: median and quartiles of those
--   who completed. Censored are those without a completion: still_open, or withdrawn in their latest attempt;
--   enrolled = completed + withdrawn + still_open, in (learner, course) pairs.
-- chart: bar x=course_title y=median_days
-- cells: enrolled, completed, withdrawn, still_open
-- cells: enrolled, completed, withdrawn, still_open add up to course_title = All courses
-- cells: enrolled = completed + withdrawn + still_open
-- cells: quarter_days, median_days, three_quarter_days follow completed
-- cells: joined by course_id to completion-rate
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
  select e.learner_key, e.course_key, e.status
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
  qualify row_number() over (partition by e.learner_key, e.course_key
    order by e.attempt desc nulls last, e.enrolled_at desc nulls last, e.enrollment_id desc nulls last) = 1
),
outcomes as (
  select p.course_key, p.status, f.completed_at, cast(f.days_to_complete as double) as days
  from pairs p
  left join fact_course_completion f on f.learner_key = p.learner_key and f.course_key = p.course_key
),
scoped as (
  select course_key, status, completed_at, days from outcomes
  union all
  select 0, status, completed_at, days from outcomes
),
by_course as (
  select course_key, count(*) as enrolled, count(completed_at) as completed,
    count(case when completed_at is null and status = 'withdrawn' then 1 end) as withdrawn,
    count(case when completed_at is null and status <> 'withdrawn' then 1 end) as still_open,
    percentile_cont(0.25) within group (order by days) as quarter_days, median(days) as median_days,
    percentile_cont(0.75) within group (order by days) as three_quarter_days
  from scoped
  group by course_key
)
select c.course_id, case when b.course_key = 0 then 'All courses' else coalesce(c.course_title, c.course_id) end as course_title, b.enrolled,
  b.completed, b.withdrawn, b.still_open, b.quarter_days, b.median_days, b.three_quarter_days
from by_course b
left join course c on c.course_key = b.course_key
order by case when b.course_key = 0 then 0 else 1 end nulls last, enrolled desc nulls last, course_id nulls last
