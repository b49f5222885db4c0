-- title: From enrollment to certificate
-- grain: a step
-- definition: Distinct (learner, course) pairs that reached each step: enrolled; viewed (an event other than
--   registered, unregistered); explored (course progress of 50 % or more: activities completed ÷ required, else
--   the latest progress reported of the course); completed; certified (an earned event of type certificate). A pair counts at
--   every step it reached, whether or not the steps before it were recorded.
-- chart: funnel x=step y=pairs
-- cells: pairs
-- cells: pairs are part of the first row
-- cells: of_enrolled_percent, of_step_before_percent follow every pairs
-- cells: pairs is its step of completion-rate
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
  select learner_key, course_key, count(*) as views,
    count(case when event_type = 'earned' and activity_type = 'certificate' then 1 end) as certificates
  from fact_learning_event
  where course_key <> 0 and event_type not in ('registered', 'unregistered')
  group by learner_key, course_key
),
totals as (
  select count(*) as enrolled, count(case when a.views > 0 then 1 end) as viewed,
    count(case when r.progress >= 0.5 then 1 end) as explored,
    count(f.completed_at) as completed, count(case when a.certificates > 0 then 1 end) as certified
  from pairs p
  left join activity a on a.learner_key = p.learner_key and a.course_key = p.course_key
  left join course_progress r on r.learner_key = p.learner_key and r.course_key = p.course_key
  left join fact_course_completion f on f.learner_key = p.learner_key and f.course_key = p.course_key
),
steps as (
  select 1 as step_no, 'enrolled' as step, enrolled as pairs, enrolled from totals
  union all
  select 2, 'viewed', viewed, enrolled from totals
  union all
  select 3, 'explored', explored, enrolled from totals
  union all
  select 4, 'completed', completed, enrolled from totals
  union all
  select 5, 'certified', certified, enrolled from totals
)
select step_no, step, pairs, floor(1000 * cast(pairs as double) / nullif(enrolled, 0) + 0.5) / 10 as of_enrolled_percent,
  floor(1000 * cast(pairs as double) / nullif(lag(pairs) over (order by step_no nulls last), 0) + 0.5) / 10 as of_step_before_percent
from steps
order by step_no nulls last
