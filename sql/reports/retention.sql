-- title: Retention by week of first enrollment
-- grain: a cohort: the learners whose first enrollment fell into an ISO week
-- definition: The share of a cohort (percent) with any event except registered and unregistered in week n after
--   the cohort's week, in whatever course; week_0 is that week itself. Empty where no such events have reached the
--   week; the newest week of events may be incomplete.
-- chart: heat x=cohort y=week_0,week_1,week_2,week_3,week_4,week_5,week_6,week_7,week_8
-- cells: learners
-- cells: learners add up
-- cells: week_0, week_1, week_2, week_3, week_4, week_5, week_6, week_7, week_8 are shares of learners
-- narrows: cohort, course, category, country, since, until
-- param: cohort text null "an ISO week, as 2026-W05; all when not given"
-- param: course text null "whose first enrollment in this course_id it is; in any when not given"
-- param: category text null "whose first enrollment in a category_id, or in a path and all below it, it is; in any when not given"
-- param: country text null "of learners of this country; of all when not given"
-- param: since date null "cohorts whose week begins on this day or later"
-- param: until date null "cohorts whose week begins on this day or earlier"
with firsts as (
  select e.learner_key, min(e.enrolled_date_key) as date_key
  from fact_enrollment e
  left join course c on c.course_key = e.course_key
  left join dim_course_category k on k.category_key = c.category_key
  left join learner l on l.learner_key = e.learner_key
  where e.learner_key <> 0
    and (cast($course as string) is null or c.course_id = cast($course as string))
    and (cast($category as string) is null or k.category_id = cast($category as string) or k.path = cast($category as string)
      or lpa_starts_with(k.path, cast($category as string) || '/'))
    and (cast($country as string) is null or l.country = cast($country as string))
  group by e.learner_key
),
-- The week's Monday can lie before the first day of dim_date: its name comes from the day of the enrollment.
cohorts as (
  select f.learner_key, lpa_add_days(d.full_date, 1 - d.day_of_week) as monday,
    cast(d.iso_year as string) || '-W' || lpad(cast(d.iso_week as string), 2, '0') as cohort
  from firsts f
  join dim_date d on d.date_key = f.date_key
),
active_days as (
  select distinct learner_key, date_key
  from fact_learning_event
  where learner_key <> 0 and event_type not in ('registered', 'unregistered')
),
active_weeks as (
  select distinct a.learner_key, lpa_add_days(d.full_date, 1 - d.day_of_week) as monday
  from active_days a
  join dim_date d on d.date_key = a.date_key
),
newest as (
  select max(monday) as monday from active_weeks
),
sizes as (
  select monday, cohort, count(*) as learners
  from cohorts
  where (cast($since as date) is null or monday >= cast($since as date))
    and (cast($until as date) is null or monday <= cast($until as date))
  group by monday, cohort
),
active as (
  select c.monday, lpa_days(c.monday, a.monday) as days_after, count(*) as learners
  from cohorts c
  join active_weeks a on a.learner_key = c.learner_key
  where a.monday >= c.monday
  group by c.monday, lpa_days(c.monday, a.monday)
),
weeks as (
  select n from (values (0), (1), (2), (3), (4), (5), (6), (7), (8)) as t(n)
),
cells as (
  select s.cohort, s.learners, w.n, case when lpa_add_days(s.monday, 7 * w.n) <= x.monday
    then floor(1000 * cast(coalesce(a.learners, 0) as double) / nullif(s.learners, 0) + 0.5) / 10 end as share
  from sizes s
  cross join newest x
  cross join weeks w
  left join active a on a.monday = s.monday and a.days_after = 7 * w.n
),
grid as (
  select cohort, max(learners) as learners, max(case when n = 0 then share end) as week_0,
    max(case when n = 1 then share end) as week_1, max(case when n = 2 then share end) as week_2,
    max(case when n = 3 then share end) as week_3, max(case when n = 4 then share end) as week_4,
    max(case when n = 5 then share end) as week_5, max(case when n = 6 then share end) as week_6,
    max(case when n = 7 then share end) as week_7, max(case when n = 8 then share end) as week_8
  from cells
  group by cohort
)
select cohort, learners, week_0, week_1, week_2, week_3, week_4, week_5, week_6, week_7, week_8
from grid
where cast($cohort as string) is null or cohort = cast($cohort as string)
order by cohort nulls last
