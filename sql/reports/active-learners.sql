-- title: Active learners by day
-- grain: a day, from the first event that counts to the newest day of events
-- definition: Distinct learners with any event except registered and unregistered. dau: on the day; wau: in the
--   day's whole ISO week, later days of it included, so the same all week (the newest may be incomplete);
--   mau_28_days: on the day and the 27 before it, so it starts below wau; stickiness: dau ÷ mau_28_days.
-- chart: line x=day y=dau,mau_28_days
-- cells: dau, wau, mau_28_days
-- cells: stickiness_percent follows dau, mau_28_days
-- narrows: course, category, country, cohort
-- param: since date null "first day to show; the first event when not given"
-- param: until date null "last day to show; the newest event when not given"
-- param: course text null "events of this course_id; all events when not given"
-- param: category text null "events of courses of a category_id, or of a path and all below it; all when not given"
-- param: country text null "of learners of this country; of all when not given"
-- param: cohort text null "of learners whose first enrollment in any course was in this ISO week, as 2026-W05"
with courses as (
  select c.course_key
  from course c
  left join dim_course_category k on k.category_key = c.category_key
  where (cast($course as string) is null or c.course_id = cast($course as string))
    and (cast($category as string) is null or k.category_id = cast($category as string) or k.path = cast($category as string)
      or lpa_starts_with(k.path, cast($category as string) || '/'))
),
learners as (
  select learner_key from learner where country = cast($country as string)
),
firsts as (
  select learner_key, min(enrolled_date_key) as date_key
  from fact_enrollment
  group by learner_key
),
cohorts as (
  select f.learner_key, cast(d.iso_year as string) || '-W' || lpad(cast(d.iso_week as string), 2, '0') as cohort
  from firsts f
  join dim_date d on d.date_key = f.date_key
),
active_days as (
  select distinct v.learner_key, v.date_key
  from fact_learning_event v
  left join courses c on c.course_key = v.course_key
  left join learners l on l.learner_key = v.learner_key
  left join cohorts h on h.learner_key = v.learner_key
  where v.learner_key <> 0 and v.event_type not in ('registered', 'unregistered')
    and (cast($country as string) is null or l.learner_key is not null)
    and (cast($course as string) is null and cast($category as string) is null or c.course_key is not null)
    and (cast($cohort as string) is null or h.cohort = cast($cohort as string))
),
-- The windows of the first day to show look back on the 27 before it.
active as (
  select learner_key, date_key
  from active_days
  where cast($since as date) is null or date_key >= lpa_date_key(lpa_add_days(cast($since as date), -27))
),
followed as (
  select date_key, lead(date_key) over (partition by learner_key order by date_key nulls last) as next_date_key
  from active
),
steps as (
  select date_key, next_date_key, count(*) as learners
  from followed
  group by date_key, next_date_key
),
-- A learner is in the 28-day window from an active day until the next one takes over, or for 28 days; and counts
-- for a week by the last active day in it.
spells as (
  select d.full_date as begins, d.iso_year, d.iso_week, s.learners,
    case when n.full_date < lpa_add_days(d.full_date, 28) then n.full_date else lpa_add_days(d.full_date, 28) end as ends,
    case when n.iso_year = d.iso_year and n.iso_week = d.iso_week then 0 else s.learners end as last_of_week
  from steps s
  join dim_date d on d.date_key = s.date_key
  left join dim_date n on n.date_key = s.next_date_key
),
weeks as (
  select iso_year, iso_week, sum(last_of_week) as wau
  from spells
  group by iso_year, iso_week
),
changes as (
  select begins as day, learners as arriving, 0 as leaving from spells
  union all
  select ends, 0, learners from spells
),
net as (
  select day, sum(arriving) as dau, sum(leaving) as leaving
  from changes
  group by day
),
newest as (
  select max(date_key) as date_key
  from fact_learning_event
  where learner_key <> 0 and event_type not in ('registered', 'unregistered')
),
-- Also with a first day to show: quiet days before the first activity that is read are days.
bounds as (
  select min(a.date_key) as first_key, max(n.date_key) as last_key
  from active_days a
  cross join newest n
),
days as (
  select d.full_date as day, substr(d.day_name, 1, 3) as weekday, d.iso_year, d.iso_week,
    coalesce(n.dau, 0) as dau, coalesce(n.leaving, 0) as leaving
  from dim_date d
  join bounds b on d.date_key between b.first_key and b.last_key
  left join net n on n.day = d.full_date
),
counted as (
  select day, weekday, iso_year, iso_week, dau,
    sum(dau - leaving) over (order by day nulls last rows between unbounded preceding and current row) as mau_28_days
  from days
)
select c.day, c.weekday, cast(c.dau as bigint) as dau, cast(coalesce(w.wau, 0) as bigint) as wau,
  cast(c.mau_28_days as bigint) as mau_28_days,
  floor(1000 * cast(c.dau as double) / nullif(c.mau_28_days, 0) + 0.5) / 10 as stickiness_percent
from counted c
left join weeks w on w.iso_year = c.iso_year and w.iso_week = c.iso_week
where (cast($since as date) is null or c.day >= cast($since as date))
  and (cast($until as date) is null or c.day <= cast($until as date))
order by day nulls last
