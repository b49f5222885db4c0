-- All reports of lpa as plain DuckDB SQL, one after the other. Made by scripts/advanced-queries.ts from sql/reports:
-- change those, not this. Parameters have their default values.
--
-- In the folder that holds the warehouse (lpa.toml says where it is):
--   duckdb -init /dev/null < advanced_queries.sql
-- or paste the attach statement into the DuckDB shell, then any of the queries.
install ducklake;
install sqlite;
attach 'ducklake:sqlite:warehouse/catalog.sqlite' as lake
  (read_only, data_path 'warehouse/data/', override_data_path true, meta_busy_timeout 10000);
use lake.core;

-- active-learners: Active learners by day
-- grain: a day, from the first event that counts to the newest day of events
-- Distinct learners with any event except registered and unregistered. dau: on the day; wau: in the
-- day's whole ISO week, later days of it included, so the same all week (the newest may be incomplete);
-- mau_28_days: on the day and the 27 before it, so it starts below wau; stickiness: dau ÷ mau_28_days.
-- parameter since = null: first day to show; the first event when not given
-- parameter until = null: last day to show; the newest event when not given
-- parameter course = null: events of this course_id; all events when not given
-- parameter category = null: events of courses of a category_id, or of a path and all below it; all when not given
-- parameter country = null: of learners of this country; of all when not given
-- parameter cohort = null: of learners whose first enrollment in any course was in this ISO week, as 2026-W05
with courses as (
  select c.course_key
  from course c
  left join dim_course_category k on k.category_key = c.category_key
  where (cast(null as string) is null or c.course_id = cast(null as string))
    and (cast(null as string) is null or k.category_id = cast(null as string) or k.path = cast(null as string)
      or starts_with(k.path, cast(null as string) || '/'))
),
learners as (
  select learner_key from learner where country = cast(null as string)
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
    and (cast(null as string) is null or l.learner_key is not null)
    and (cast(null as string) is null and cast(null as string) is null or c.course_key is not null)
    and (cast(null as string) is null or h.cohort = cast(null as string))
),
-- The windows of the first day to show look back on the 27 before it.
active as (
  select learner_key, date_key
  from active_days
  where cast(null as date) is null or date_key >= cast(extract(year from (cast(null as date) + cast(-27 as int))) * 10000 + extract(month from (cast(null as date) + cast(-27 as int))) * 100 + extract(day from (cast(null as date) + cast(-27 as int))) as int)
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
    case when n.full_date < (d.full_date + cast(28 as int)) then n.full_date else (d.full_date + cast(28 as int)) end as ends,
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
where (cast(null as date) is null or c.day >= cast(null as date))
  and (cast(null as date) is null or c.day <= cast(null as date))
order by day nulls last;

-- at-risk: Learners at risk
-- grain: a learner in a course
-- Enrolled (latest attempt not withdrawn), not passed, and no event in the course for the given days up
-- to the newest day of events (of all data while there are no events); registered and unregistered are no activity,
-- and silence is counted from the enrollment when that is later. Passed: any completion or passed event of the
-- course says so, or it is completed and nothing says failed; a failure before the latest attempt does not count
-- against an attempt that the roster calls completed. never_started: no event at all. The reason is given in words.
-- parameter days = 7: no event for this many days
-- parameter course = null: a course_id; all courses when not given
-- parameter category = null: a category_id, or a path and all below it; all when not given
-- parameter country = null: of learners of this country; of all when not given
-- parameter since = null: whose latest attempt began on this day or later
-- parameter until = null: whose latest attempt began on this day or earlier
-- parameter most = null: the longest silent so many; all when not given
with newest as (
  select coalesce(v.date_key, n.date_key) as date_key
  from (select max(date_key) as date_key from fact_learning_event) v
  cross join newest_day n
),
enrolled as (
  select e.learner_key, e.course_key, e.enrolled_date_key, e.status
  from fact_enrollment e
  qualify row_number() over (partition by e.learner_key, e.course_key
    order by e.attempt desc nulls last, e.enrolled_at desc nulls last, e.enrollment_id desc nulls last) = 1
),
seen as (
  select learner_key, course_key, max(date_key) as date_key, count(*) as events
  from fact_learning_event
  where course_key <> 0 and event_type not in ('registered', 'unregistered')
  group by learner_key, course_key
),
-- Every completion that was reported, each as it was reported last: the fact holds the first only.
completions as (
  select learner_key, course_key, completed_date_key, passed
  from staging.live_course_completion
  qualify row_number() over (partition by learner_key, course_key, completed_at
    order by effective_at desc nulls last, load_id desc nulls last, position desc nulls last) = 1
),
results as (
  select learner_key, course_key, max(case when passed then 1 else 0 end) as has_passed,
    max(case when not passed then completed_date_key end) as failed_date_key
  from (
    select learner_key, course_key, completed_date_key, passed from completions
    union all
    select learner_key, course_key, date_key, case when event_type = 'passed' then true end
    from fact_learning_event
    where event_type in ('completed', 'passed') and activity_type = 'course' and course_key <> 0
  ) t
  group by learner_key, course_key
),
waiting as (
  select e.learner_key, e.course_key, e.enrolled_date_key, s.date_key as seen_date_key, coalesce(s.events, 0) as events,
    case when s.date_key > e.enrolled_date_key then s.date_key else e.enrolled_date_key end as since_date_key,
    case when r.failed_date_key is not null then 1 else 0 end as failed
  from enrolled e
  left join seen s on s.learner_key = e.learner_key and s.course_key = e.course_key
  left join results r on r.learner_key = e.learner_key and r.course_key = e.course_key
  where e.status <> 'withdrawn' and coalesce(r.has_passed, 0) = 0 and (r.course_key is null or r.failed_date_key is not null)
    and (e.status <> 'completed' or r.failed_date_key >= e.enrolled_date_key)
),
silent as (
  select w.learner_key, w.course_key, w.events, w.failed, x.full_date as enrolled_on, v.full_date as last_event_on,
    n.full_date as newest_on, date_diff('day', cast(d.full_date as date), cast(n.full_date as date)) as days_silent
  from waiting w
  join dim_date d on d.date_key = w.since_date_key
  join dim_date x on x.date_key = w.enrolled_date_key
  left join dim_date v on v.date_key = w.seen_date_key
  cross join newest t
  join dim_date n on n.date_key = t.date_key
),
listed as (
  select c.course_id, case when s.last_event_on is null then 'never_started' else 'silent' end as class, s.days_silent,
    s.enrolled_on, s.last_event_on, s.events,
    substr(case when s.last_event_on is null then '; never started, enrolled ' || cast(s.enrolled_on as string) else '' end
      || case when s.last_event_on is not null then '; no event since ' || cast(s.last_event_on as string) else '' end
      || case when s.last_event_on < s.enrolled_on then '; enrolled again ' || cast(s.enrolled_on as string) else '' end
      || case when s.failed = 1 then '; finished without passing' else '' end
      || case when c.ends_on < s.newest_on then '; the course ended ' || cast(c.ends_on as string) else '' end, 3) as reason,
    l.learner_id
  from silent s
  join course c on c.course_key = s.course_key
  left join dim_course_category k on k.category_key = c.category_key
  join learner l on l.learner_key = s.learner_key
  where s.days_silent >= cast(7 as int)
    and (cast(null as string) is null or c.course_id = cast(null as string))
    and (cast(null as string) is null or k.category_id = cast(null as string) or k.path = cast(null as string)
      or starts_with(k.path, cast(null as string) || '/'))
    and (cast(null as string) is null or l.country = cast(null as string))
    and (cast(null as date) is null or s.enrolled_on >= cast(null as date))
    and (cast(null as date) is null or s.enrolled_on <= cast(null as date))
),
placed as (
  select course_id, class, days_silent, enrolled_on, last_event_on, events, reason, learner_id,
    row_number() over (order by days_silent desc nulls last, course_id nulls last, learner_id nulls last) as place
  from listed
)
select course_id, class, days_silent, enrolled_on, last_event_on, events, reason, learner_id
from placed
where cast(null as int) is null or place <= cast(null as int)
order by place nulls last;

-- category-rollup: Enrollments and completions up the category hierarchy
-- grain: a category, with everything below it
-- Courses of the category and of all categories under it, their enrollments (attempts), distinct
-- learners, distinct (learner, course) pairs, and the share of the pairs that completed.
-- parameter category = null: a category_id, or a path and all below it; all when not given
-- parameter country = null: of learners of this country; of all when not given
-- parameter since = null: enrolled on this day or later
-- parameter until = null: enrolled on this day or earlier
with recursive up as (
  select category_key, category_key as ancestor_key, 0 as distance
  from dim_course_category
  union all
  select u.category_key, k.parent_category_key, u.distance + 1
  from up u
  join dim_course_category k on k.category_key = u.ancestor_key
  -- The bound ends a hierarchy that runs in a circle.
  where k.parent_category_key is not null and u.distance < 20
),
pairs as (
  select e.learner_key, e.course_key, count(*) as attempts
  from fact_enrollment e
  left join learner l on l.learner_key = e.learner_key
  where (cast(null as string) is null or l.country = cast(null as string))
    and (cast(null as date) is null or e.enrolled_date_key >= cast(extract(year from cast(null as date)) * 10000 + extract(month from cast(null as date)) * 100 + extract(day from cast(null as date)) as int))
    and (cast(null as date) is null or e.enrolled_date_key <= cast(extract(year from cast(null as date)) * 10000 + extract(month from cast(null as date)) * 100 + extract(day from cast(null as date)) as int))
  group by e.learner_key, e.course_key
),
enrolled as (
  select c.category_key, p.learner_key, sum(p.attempts) as attempts, count(*) as pairs, count(f.completed_at) as completed
  from pairs p
  join course c on c.course_key = p.course_key
  left join fact_course_completion f on f.learner_key = p.learner_key and f.course_key = p.course_key
  group by c.category_key, p.learner_key
),
totals as (
  select u.ancestor_key as category_key, sum(e.attempts) as enrollments, count(distinct e.learner_key) as learners,
    sum(e.pairs) as pairs, sum(e.completed) as completed
  from up u
  join enrolled e on e.category_key = u.category_key
  group by u.ancestor_key
),
sizes as (
  select u.ancestor_key as category_key, count(*) as courses
  from up u
  join course c on c.category_key = u.category_key
  where c.course_key <> 0
  group by u.ancestor_key
)
select k.level, repeat('  ', k.level - 1) || coalesce(k.category_name, '(none)') as category, coalesce(k.path, '(none)') as path,
  coalesce(s.courses, 0) as courses, cast(coalesce(t.enrollments, 0) as bigint) as enrollments, coalesce(t.learners, 0) as learners,
  cast(coalesce(t.pairs, 0) as bigint) as pairs, cast(coalesce(t.completed, 0) as bigint) as completed,
  floor(1000 * cast(t.completed as double) / nullif(t.pairs, 0) + 0.5) / 10 as completion_percent
from dim_course_category k
left join sizes s on s.category_key = k.category_key
left join totals t on t.category_key = k.category_key
where (k.category_key <> 0 or s.courses > 0)
  and (cast(null as string) is null or k.category_id = cast(null as string) or k.path = cast(null as string)
    or starts_with(k.path, cast(null as string) || '/'))
-- Children directly below their parent: the separator sorts before every letter.
order by case when k.category_key = 0 then 1 else 0 end nulls last, replace(k.path, '/', chr(1)) nulls last, k.category_key nulls last;

-- checks: Checks of the warehouse
-- grain: a check
-- How each check of sql/checks came out when it last ran: ok without failures, else failed (a check of
-- severity error) or warning. failures: the rows that it found.
with latest as (
  select check_name, severity, failures, checked_at
  from meta.checks
  qualify row_number() over (partition by check_name order by checked_at desc nulls last, run_id desc nulls last) = 1
)
select check_name, case when failures = 0 then 'ok' when severity = 'error' then 'failed' else 'warning' end as state,
  failures, checked_at
from latest
order by case when failures = 0 then 2 when severity = 'error' then 0 else 1 end nulls last, check_name nulls last;

-- completion-rate: Completion rate by course
-- grain: a course, after one row for all courses together
-- Distinct (learner, course) pairs that are enrolled and completed ÷ pairs enrolled. Each rate names its
-- denominator: all enrolled pairs; those that viewed (an event other than registered, unregistered); those
-- that explored (course progress of 50 % or more). Course progress: activities completed ÷ required, else
-- the latest progress reported of the course. A rate counts only completions inside its denominator.
-- parameter course = null: a course_id; all courses when not given
-- parameter category = null: a category_id, or a path and all below it; all when not given
-- parameter country = null: of learners of this country; of all when not given
-- parameter since = null: enrolled on this day or later
-- parameter until = null: enrolled on this day or earlier
-- parameter cohort = null: of learners whose first enrollment in any course was in this ISO week, as 2026-W05
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
  where (cast(null as string) is null or c.course_id = cast(null as string))
    and (cast(null as string) is null or k.category_id = cast(null as string) or k.path = cast(null as string)
      or starts_with(k.path, cast(null as string) || '/'))
    and (cast(null as string) is null or l.country = cast(null as string))
    and (cast(null as date) is null or e.enrolled_date_key >= cast(extract(year from cast(null as date)) * 10000 + extract(month from cast(null as date)) * 100 + extract(day from cast(null as date)) as int))
    and (cast(null as date) is null or e.enrolled_date_key <= cast(extract(year from cast(null as date)) * 10000 + extract(month from cast(null as date)) * 100 + extract(day from cast(null as date)) as int))
    and (cast(null as string) is null or h.cohort = cast(null as string))
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
order by case when s.course_key = 0 then 0 else 1 end nulls last, enrolled desc nulls last, course_id nulls last;

-- completions: Completions by day
-- grain: a day, from the first completion to the newest day of the data
-- Learners' first completions of courses by the day they finished. passed counts those known to be
-- passed. mean_7_days: the mean of the day and the six before it (fewer at the start). week_before: the same
-- weekday one week earlier.
-- parameter since = null: first day to show; the first completion when not given
-- parameter until = null: last day to show; the newest day of the data when not given
-- parameter course = null: a course_id; all courses when not given
-- parameter category = null: a category_id, or a path and all below it; all when not given
-- parameter country = null: of learners of this country; of all when not given
with by_day as (
  select completed_date_key as date_key, count(*) as completions, count(case when passed then 1 end) as passed
  from fact_course_completion e
  left join course c on c.course_key = e.course_key
  left join dim_course_category k on k.category_key = c.category_key
  left join learner l on l.learner_key = e.learner_key
  where (cast(null as string) is null or c.course_id = cast(null as string))
    and (cast(null as string) is null or k.category_id = cast(null as string) or k.path = cast(null as string)
      or starts_with(k.path, cast(null as string) || '/'))
    and (cast(null as string) is null or l.country = cast(null as string))
  group by completed_date_key
),
days as (
  select d.full_date as day, d.day_name, coalesce(b.completions, 0) as completions, coalesce(b.passed, 0) as passed
  from dim_date d
  cross join newest_day n
  left join by_day b on b.date_key = d.date_key
  where d.date_key >= (select min(date_key) from by_day) and d.date_key <= n.date_key
),
compared as (
  select day, substr(day_name, 1, 3) as weekday, completions, passed,
    avg(cast(completions as double)) over (order by day nulls last rows between 6 preceding and current row) as mean_7_days,
    lag(completions, 7) over (order by day nulls last) as week_before
  from days
)
select day, weekday, completions, passed, floor(mean_7_days * 10 + 0.5) / 10 as mean_7_days, week_before,
  floor(1000 * cast(completions - week_before as double) / nullif(week_before, 0) + 0.5) / 10 as change_percent
from compared
where (cast(null as date) is null or day >= cast(null as date))
  and (cast(null as date) is null or day <= cast(null as date))
order by day nulls last;

-- course-ranking: Courses ranked by completion
-- grain: a course
-- Courses by the share of their enrolled (learner, course) pairs that completed. place: among all ranked
-- courses; place_in_category: among those of the same category; quartile 1 is the best quarter; ahead_of: the
-- percent of the other ranked courses with a lower share. Courses with fewer than min_learners are not ranked; of
-- some learners or days, among the courses that have enough of these.
-- parameter min_learners = 5: courses with fewer learners are left out
-- parameter top = 10: places to show in each category
-- parameter category = null: ranks those of a category_id, or of a path and all below it, only; all when not given
-- parameter country = null: of learners of this country; of all when not given
-- parameter since = null: enrolled on this day or later
-- parameter until = null: enrolled on this day or earlier
with pairs as (
  select distinct e.learner_key, e.course_key
  from fact_enrollment e
  left join course c on c.course_key = e.course_key
  left join dim_course_category k on k.category_key = c.category_key
  left join learner l on l.learner_key = e.learner_key
  where (cast(null as string) is null or k.category_id = cast(null as string) or k.path = cast(null as string)
      or starts_with(k.path, cast(null as string) || '/'))
    and (cast(null as string) is null or l.country = cast(null as string))
    and (cast(null as date) is null or e.enrolled_date_key >= cast(extract(year from cast(null as date)) * 10000 + extract(month from cast(null as date)) * 100 + extract(day from cast(null as date)) as int))
    and (cast(null as date) is null or e.enrolled_date_key <= cast(extract(year from cast(null as date)) * 10000 + extract(month from cast(null as date)) * 100 + extract(day from cast(null as date)) as int))
),
scores as (
  select p.course_key, count(*) as learners, count(f.completed_at) as completed, cast(sum(cast(f.final_score as decimal(18, 9))) as double) / nullif(count(f.final_score), 0) as mean_score,
    cast(count(f.completed_at) as double) / nullif(count(*), 0) as share
  from pairs p
  left join fact_course_completion f on f.learner_key = p.learner_key and f.course_key = p.course_key
  group by p.course_key
),
ranked as (
  select c.course_id, coalesce(c.course_title, c.course_id) as course_title, coalesce(k.path, '(none)') as category, s.learners, s.completed, s.share, s.mean_score,
    rank() over (order by s.share desc nulls last) as place,
    rank() over (partition by c.category_key order by s.share desc nulls last) as place_in_category,
    ntile(4) over (order by s.share desc nulls last, c.course_id nulls last) as quartile,
    percent_rank() over (order by s.share nulls first) as ahead_of
  from scores s
  join course c on c.course_key = s.course_key
  left join dim_course_category k on k.category_key = c.category_key
  where s.learners >= cast(5 as int)
)
select place, course_id, course_title, category, place_in_category, learners, completed,
  floor(1000 * cast(completed as double) / nullif(learners, 0) + 0.5) / 10 as completion_percent, floor(mean_score * 1000 + 0.5) / 10 as mean_score_percent, quartile,
  floor(ahead_of * 1000 + 0.5) / 10 as ahead_of_percent
from ranked
where place_in_category <= cast(10 as int)
order by place nulls last, course_id nulls last;

-- course-table: Courses
-- grain: a course with enrollments
-- enrolled, completed: distinct (learner, course) pairs; mean_progress_percent: the mean course progress of
-- the enrolled (activities completed ÷ required, else the latest reported of the course; none counts as 0; empty when the course
-- reports none at all). new_enrollments: attempts begun in the newest days of the data, against as many days before.
-- parameter days = 7: length of the window in days
-- parameter course = null: a course_id; all courses when not given
-- parameter category = null: a category_id, or a path and all below it; all when not given
-- parameter country = null: of learners of this country; of all when not given
with windows as (
  select cast(extract(year from (d.full_date + cast(1 - cast(7 as int) as int))) * 10000 + extract(month from (d.full_date + cast(1 - cast(7 as int) as int))) * 100 + extract(day from (d.full_date + cast(1 - cast(7 as int) as int))) as int) as current_from,
    cast(extract(year from (d.full_date + cast(1 - 2 * cast(7 as int) as int))) * 10000 + extract(month from (d.full_date + cast(1 - 2 * cast(7 as int) as int))) * 100 + extract(day from (d.full_date + cast(1 - 2 * cast(7 as int) as int))) as int) as previous_from
  from newest_day n
  join dim_date d on d.date_key = n.date_key
),
pairs as (
  select e.learner_key, e.course_key, count(case when e.enrolled_date_key >= w.current_from then 1 end) as current_count,
    count(case when e.enrolled_date_key >= w.previous_from and e.enrolled_date_key < w.current_from then 1 end) as previous_count
  from fact_enrollment e
  cross join windows w
  left join course c on c.course_key = e.course_key
  left join dim_course_category k on k.category_key = c.category_key
  left join learner l on l.learner_key = e.learner_key
  where (cast(null as string) is null or c.course_id = cast(null as string))
    and (cast(null as string) is null or k.category_id = cast(null as string) or k.path = cast(null as string)
      or starts_with(k.path, cast(null as string) || '/'))
    and (cast(null as string) is null or l.country = cast(null as string))
  group by e.learner_key, e.course_key
),
progressed as (
  select p.course_key, p.current_count, p.previous_count, f.completed_at, r.progress
  from pairs p
  left join course_progress r on r.learner_key = p.learner_key and r.course_key = p.course_key
  left join fact_course_completion f on f.learner_key = p.learner_key and f.course_key = p.course_key
),
by_course as (
  select course_key, count(*) as enrolled, count(completed_at) as completed, sum(current_count) as current_count,
    sum(previous_count) as previous_count, count(progress) as with_progress,
    -- Decimals: a sum of doubles depends on the order of its rows, and with it the last digit shown.
    cast(sum(cast(coalesce(progress, 0) as decimal(18, 9))) as double) / nullif(count(*), 0) as mean_progress
  from progressed
  group by course_key
)
select c.course_id, coalesce(c.course_title, c.course_id) as course_title, b.enrolled, b.completed,
  floor(1000 * cast(b.completed as double) / nullif(b.enrolled, 0) + 0.5) / 10 as completion_percent,
  case when b.with_progress > 0 then floor(b.mean_progress * 1000 + 0.5) / 10 end as mean_progress_percent,
  cast(b.current_count as bigint) as new_enrollments, cast(b.previous_count as bigint) as enrollments_before,
  floor(1000 * cast(b.current_count - b.previous_count as double) / nullif(b.previous_count, 0) + 0.5) / 10 as change_percent
from by_course b
join course c on c.course_key = b.course_key
order by enrolled desc nulls last, course_id nulls last;

-- daily: The platform day by day
-- grain: a day, from the first that has something to count to the newest day of the data
-- Enrollments and first completions by their day; active_learners: distinct learners with any event
-- except registered and unregistered; events: all events.
-- parameter since = null: first day to show; the first of the data when not given
-- parameter until = null: last day to show; the newest of the data when not given
-- parameter course = null: of this course_id; of all, and of none, when not given
-- parameter category = null: of a category_id, or of a path and all below it; of all when not given
-- parameter country = null: of learners of this country; of all when not given
with courses as (
  select c.course_key
  from course c
  left join dim_course_category k on k.category_key = c.category_key
  where (cast(null as string) is null or c.course_id = cast(null as string))
    and (cast(null as string) is null or k.category_id = cast(null as string) or k.path = cast(null as string)
      or starts_with(k.path, cast(null as string) || '/'))
),
learners as (
  select learner_key from learner where country = cast(null as string)
),
enrolled as (
  select e.enrolled_date_key as date_key, count(*) as enrollments
  from fact_enrollment e
  left join courses c on c.course_key = e.course_key
  left join learners l on l.learner_key = e.learner_key
  where (cast(null as string) is null or l.learner_key is not null)
    and (cast(null as string) is null and cast(null as string) is null or c.course_key is not null)
  group by e.enrolled_date_key
),
completed as (
  select f.completed_date_key as date_key, count(*) as completions
  from fact_course_completion f
  left join courses c on c.course_key = f.course_key
  left join learners l on l.learner_key = f.learner_key
  where (cast(null as string) is null or l.learner_key is not null)
    and (cast(null as string) is null and cast(null as string) is null or c.course_key is not null)
  group by f.completed_date_key
),
happened as (
  select v.date_key, count(*) as events,
    count(distinct case when v.learner_key <> 0 and v.event_type not in ('registered', 'unregistered') then v.learner_key end) as active_learners
  from fact_learning_event v
  left join courses c on c.course_key = v.course_key
  left join learners l on l.learner_key = v.learner_key
  where (cast(null as string) is null or l.learner_key is not null)
    and (cast(null as string) is null and cast(null as string) is null or c.course_key is not null)
  group by v.date_key
),
bounds as (
  select min(t.date_key) as first_key, max(n.date_key) as last_key
  from (select date_key from enrolled union all select date_key from completed union all select date_key from happened) t
  cross join newest_day n
)
select d.full_date as day, substr(d.day_name, 1, 3) as weekday, coalesce(e.enrollments, 0) as enrollments,
  coalesce(c.completions, 0) as completions, coalesce(h.active_learners, 0) as active_learners, coalesce(h.events, 0) as events
from dim_date d
join bounds b on d.date_key between b.first_key and b.last_key
left join enrolled e on e.date_key = d.date_key
left join completed c on c.date_key = d.date_key
left join happened h on h.date_key = d.date_key
where (cast(null as date) is null or d.full_date >= cast(null as date))
  and (cast(null as date) is null or d.full_date <= cast(null as date))
order by day nulls last;

-- drop-off: Where learners stop
-- grain: an activity of a course, in the course's order
-- The last activity that each learner reached, by its order in the course: the number in the activity's
-- id (COURSE/NN-name), else the order in which anybody first reached it. reached: learners who got at least this
-- far; last_here: those who got no further; dropped: of them, those who did not complete the course;
-- dropped_percent: dropped ÷ reached. The order is that of all learners, whomever the counts are of.
-- parameter course = null: a course_id; all courses when not given
-- parameter category = null: a category_id, or a path and all below it; all when not given
-- parameter country = null: of learners of this country; of all when not given
-- parameter since = null: of who enrolled in the course on this day or later
-- parameter until = null: of who enrolled in the course on this day or earlier
with reached as (
  select v.course_key, v.activity_id, v.learner_key, min(v.occurred_at) as first_at
  from fact_learning_event v
  join course c on c.course_key = v.course_key
  left join dim_course_category k on k.category_key = c.category_key
  where v.course_key <> 0 and v.learner_key <> 0 and v.activity_id is not null
    and v.event_type not in ('registered', 'unregistered') and coalesce(v.activity_type, '') not in ('course', 'certificate')
    and (cast(null as string) is null or c.course_id = cast(null as string))
    and (cast(null as string) is null or k.category_id = cast(null as string) or k.path = cast(null as string)
      or starts_with(k.path, cast(null as string) || '/'))
  group by v.course_key, v.activity_id, v.learner_key
),
activities as (
  select course_key, activity_id, min(first_at) as first_at,
    try_cast(split_part(split_part(activity_id, '/', 2), '-', 1) as int) as activity_no
  from reached
  group by course_key, activity_id
),
positions as (
  select course_key, activity_id,
    row_number() over (partition by course_key order by activity_no nulls last, first_at nulls last, activity_id nulls last) as position
  from activities
),
enrolled as (
  select distinct learner_key, course_key
  from fact_enrollment
  where (cast(null as date) is null or enrolled_date_key >= cast(extract(year from cast(null as date)) * 10000 + extract(month from cast(null as date)) * 100 + extract(day from cast(null as date)) as int))
    and (cast(null as date) is null or enrolled_date_key <= cast(extract(year from cast(null as date)) * 10000 + extract(month from cast(null as date)) * 100 + extract(day from cast(null as date)) as int))
),
furthest as (
  select r.course_key, r.learner_key, max(p.position) as position
  from reached r
  join positions p on p.course_key = r.course_key and p.activity_id = r.activity_id
  left join learner l on l.learner_key = r.learner_key
  left join enrolled e on e.learner_key = r.learner_key and e.course_key = r.course_key
  where (cast(null as string) is null or l.country = cast(null as string))
    and (cast(null as date) is null and cast(null as date) is null or e.learner_key is not null)
  group by r.course_key, r.learner_key
),
stops as (
  select u.course_key, u.position, count(*) as last_here, count(f.completed_at) as completed
  from furthest u
  left join fact_course_completion f on f.learner_key = u.learner_key and f.course_key = u.course_key
  group by u.course_key, u.position
),
counted as (
  select p.course_key, p.position, p.activity_id, coalesce(s.last_here, 0) as last_here,
    coalesce(s.last_here, 0) - coalesce(s.completed, 0) as dropped,
    sum(coalesce(s.last_here, 0)) over (partition by p.course_key order by p.position desc nulls last
      rows between unbounded preceding and current row) as reached
  from positions p
  left join stops s on s.course_key = p.course_key and s.position = p.position
)
select c.course_id, n.position, n.activity_id, cast(n.reached as bigint) as reached, n.last_here, n.dropped,
  floor(1000 * cast(n.dropped as double) / nullif(n.reached, 0) + 0.5) / 10 as dropped_percent
from counted n
join course c on c.course_key = n.course_key
order by course_id nulls last, n.position nulls last;

-- enrollments: Enrollments by day
-- grain: a day, from the first enrollment to the newest day of the data
-- Attempts of learners at courses by the day they began. mean_7_days: the mean of the day and
-- the six before it (fewer at the start). week_before: the same weekday one week earlier.
-- parameter since = null: first day to show; the first enrollment when not given
-- parameter until = null: last day to show; the newest day of the data when not given
-- parameter course = null: a course_id; all courses when not given
-- parameter category = null: a category_id, or a path and all below it; all when not given
-- parameter country = null: of learners of this country; of all when not given
with by_day as (
  select enrolled_date_key as date_key, count(*) as enrollments
  from fact_enrollment e
  left join course c on c.course_key = e.course_key
  left join dim_course_category k on k.category_key = c.category_key
  left join learner l on l.learner_key = e.learner_key
  where (cast(null as string) is null or c.course_id = cast(null as string))
    and (cast(null as string) is null or k.category_id = cast(null as string) or k.path = cast(null as string)
      or starts_with(k.path, cast(null as string) || '/'))
    and (cast(null as string) is null or l.country = cast(null as string))
  group by enrolled_date_key
),
days as (
  select d.full_date as day, d.day_name, coalesce(b.enrollments, 0) as enrollments
  from dim_date d
  cross join newest_day n
  left join by_day b on b.date_key = d.date_key
  where d.date_key >= (select min(date_key) from by_day) and d.date_key <= n.date_key
),
compared as (
  select day, substr(day_name, 1, 3) as weekday, enrollments,
    avg(cast(enrollments as double)) over (order by day nulls last rows between 6 preceding and current row) as mean_7_days,
    lag(enrollments, 7) over (order by day nulls last) as week_before
  from days
)
select day, weekday, enrollments, floor(mean_7_days * 10 + 0.5) / 10 as mean_7_days, week_before,
  floor(1000 * cast(enrollments - week_before as double) / nullif(week_before, 0) + 0.5) / 10 as change_percent
from compared
where (cast(null as date) is null or day >= cast(null as date))
  and (cast(null as date) is null or day <= cast(null as date))
order by day nulls last;

-- freshness: How fresh each source is
-- grain: a source
-- Its loads that count (no later load took their place), their records by fate, how many of these loads
-- are not built into facts yet, and when the newest was committed (UTC).
with built as (
  select distinct load_id from meta.built_loads
)
select l.source, count(*) as loads, cast(sum(l.records_mapped) as bigint) as mapped,
  cast(sum(l.records_rejected) as bigint) as rejected, count(case when b.load_id is null then 1 end) as not_built,
  max(l.committed_at) as newest_load_at
from meta.loads l
left join built b on b.load_id = l.load_id
where l.superseded_by is null
group by l.source
order by newest_load_at desc nulls last, l.source nulls last;

-- funnel: From enrollment to certificate
-- grain: a step
-- Distinct (learner, course) pairs that reached each step: enrolled; viewed (an event other than
-- registered, unregistered); explored (course progress of 50 % or more: activities completed ÷ required, else
-- the latest progress reported of the course); completed; certified (an earned event of type certificate). A pair counts at
-- every step it reached, whether or not the steps before it were recorded.
-- parameter course = null: a course_id; all courses when not given
-- parameter category = null: a category_id, or a path and all below it; all when not given
-- parameter country = null: of learners of this country; of all when not given
-- parameter since = null: enrolled on this day or later
-- parameter until = null: enrolled on this day or earlier
-- parameter cohort = null: of learners whose first enrollment in any course was in this ISO week, as 2026-W05
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
  where (cast(null as string) is null or c.course_id = cast(null as string))
    and (cast(null as string) is null or k.category_id = cast(null as string) or k.path = cast(null as string)
      or starts_with(k.path, cast(null as string) || '/'))
    and (cast(null as string) is null or l.country = cast(null as string))
    and (cast(null as date) is null or e.enrolled_date_key >= cast(extract(year from cast(null as date)) * 10000 + extract(month from cast(null as date)) * 100 + extract(day from cast(null as date)) as int))
    and (cast(null as date) is null or e.enrolled_date_key <= cast(extract(year from cast(null as date)) * 10000 + extract(month from cast(null as date)) * 100 + extract(day from cast(null as date)) as int))
    and (cast(null as string) is null or h.cohort = cast(null as string))
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
order by step_no nulls last;

-- loads: The newest loads
-- grain: a load, the newest first
-- Records by fate: read = mapped + rejected + filtered + doubled. state: built when the facts hold it, not
-- built until the next batch, superseded when a later load took its place.
-- parameter most = 50: loads to show
with placed as (
  select load_id, source, format, records_read, records_mapped, records_rejected, records_filtered, records_doubled,
    superseded_by, committed_at, row_number() over (order by committed_at desc nulls last, load_id desc nulls last) as place
  from meta.loads
),
built as (
  select distinct load_id from meta.built_loads
)
select p.load_id, p.source, p.format, p.records_read as read, p.records_mapped as mapped, p.records_rejected as rejected,
  p.records_filtered as filtered, p.records_doubled as doubled,
  case when p.superseded_by is not null then 'superseded' when b.load_id is null then 'not built' else 'built' end as state,
  p.committed_at
from placed p
left join built b on b.load_id = p.load_id
where p.place <= cast(50 as int)
order by p.place nulls last;

-- overview: The platform at a glance
-- grain: a key figure
-- The newest days of the data, whatever is chosen of it, against as many before them. enrollments: attempts
-- begun; completions: first completions; active_learners: distinct learners with any event except registered and
-- unregistered; events: all; completion_rate: (learner, course) pairs completed ÷ pairs enrolled, up to the newest
-- day and, before, up to the day that the window began after.
-- parameter days = 7: length of the window in days
-- parameter course = null: of this course_id; of all, and of none, when not given
-- parameter category = null: of a category_id, or of a path and all below it; of all when not given
-- parameter country = null: of learners of this country; of all when not given
with windows as (
  select cast(extract(year from (d.full_date + cast(1 - cast(7 as int) as int))) * 10000 + extract(month from (d.full_date + cast(1 - cast(7 as int) as int))) * 100 + extract(day from (d.full_date + cast(1 - cast(7 as int) as int))) as int) as current_from,
    cast(extract(year from (d.full_date + cast(1 - 2 * cast(7 as int) as int))) * 10000 + extract(month from (d.full_date + cast(1 - 2 * cast(7 as int) as int))) * 100 + extract(day from (d.full_date + cast(1 - 2 * cast(7 as int) as int))) as int) as previous_from
  from newest_day n
  join dim_date d on d.date_key = n.date_key
),
courses as (
  select c.course_key
  from course c
  left join dim_course_category k on k.category_key = c.category_key
  where (cast(null as string) is null or c.course_id = cast(null as string))
    and (cast(null as string) is null or k.category_id = cast(null as string) or k.path = cast(null as string)
      or starts_with(k.path, cast(null as string) || '/'))
),
learners as (
  select learner_key from learner where country = cast(null as string)
),
enrolled as (
  select count(case when e.enrolled_date_key >= w.current_from then 1 end) as current_count,
    count(case when e.enrolled_date_key < w.current_from then 1 end) as previous_count
  from fact_enrollment e
  cross join windows w
  left join courses c on c.course_key = e.course_key
  left join learners l on l.learner_key = e.learner_key
  where e.enrolled_date_key >= w.previous_from
    and (cast(null as string) is null or l.learner_key is not null)
    and (cast(null as string) is null and cast(null as string) is null or c.course_key is not null)
),
completed as (
  select count(case when f.completed_date_key >= w.current_from then 1 end) as current_count,
    count(case when f.completed_date_key < w.current_from then 1 end) as previous_count
  from fact_course_completion f
  cross join windows w
  left join courses c on c.course_key = f.course_key
  left join learners l on l.learner_key = f.learner_key
  where f.completed_date_key >= w.previous_from
    and (cast(null as string) is null or l.learner_key is not null)
    and (cast(null as string) is null and cast(null as string) is null or c.course_key is not null)
),
active as (
  select count(distinct case when v.date_key >= w.current_from then v.learner_key end) as current_count,
    count(distinct case when v.date_key < w.current_from then v.learner_key end) as previous_count
  from fact_learning_event v
  cross join windows w
  left join courses c on c.course_key = v.course_key
  left join learners l on l.learner_key = v.learner_key
  where v.date_key >= w.previous_from and v.learner_key <> 0 and v.event_type not in ('registered', 'unregistered')
    and (cast(null as string) is null or l.learner_key is not null)
    and (cast(null as string) is null and cast(null as string) is null or c.course_key is not null)
),
happened as (
  select count(case when v.date_key >= w.current_from then 1 end) as current_count,
    count(case when v.date_key < w.current_from then 1 end) as previous_count
  from fact_learning_event v
  cross join windows w
  left join courses c on c.course_key = v.course_key
  left join learners l on l.learner_key = v.learner_key
  where v.date_key >= w.previous_from
    and (cast(null as string) is null or l.learner_key is not null)
    and (cast(null as string) is null and cast(null as string) is null or c.course_key is not null)
),
pairs as (
  select e.learner_key, e.course_key, min(e.enrolled_date_key) as date_key
  from fact_enrollment e
  left join courses c on c.course_key = e.course_key
  left join learners l on l.learner_key = e.learner_key
  where (cast(null as string) is null or l.learner_key is not null)
    and (cast(null as string) is null and cast(null as string) is null or c.course_key is not null)
  group by e.learner_key, e.course_key
),
rates as (
  select 100 * cast(count(f.completed_at) as double) / nullif(count(*), 0) as current_rate,
    100 * cast(count(case when p.date_key < w.current_from and f.completed_date_key < w.current_from then 1 end) as double)
      / nullif(count(case when p.date_key < w.current_from then 1 end), 0) as previous_rate
  from pairs p
  cross join windows w
  left join fact_course_completion f on f.learner_key = p.learner_key and f.course_key = p.course_key
),
figures as (
  select 1 as kpi_no, 'enrollments' as kpi, cast(current_count as double) as figure, cast(previous_count as double) as previous, '' as unit
  from enrolled
  union all
  select 2, 'completions', cast(current_count as double), cast(previous_count as double), '' from completed
  union all
  select 3, 'completion_rate', floor(current_rate * 10 + 0.5) / 10, floor(previous_rate * 10 + 0.5) / 10, '%' from rates
  union all
  select 4, 'active_learners', cast(current_count as double), cast(previous_count as double), '' from active
  union all
  select 5, 'events', cast(current_count as double), cast(previous_count as double), '' from happened
)
select kpi, figure as value, previous, floor(1000 * cast(figure - previous as double) / nullif(previous, 0) + 0.5) / 10 as change_percent, unit
from figures
order by kpi_no nulls last;

-- reconciliation: Enrollments by roster against enrollments by events
-- grain: a course, after one row for all courses together
-- Distinct (learner, course) pairs in staged enrollments (the roster) and in staged registered events.
-- The roster wins in fact_enrollment. The pairs behind the differences: report reconciliation-differences.
-- parameter course = null: a course_id; all courses when not given
-- parameter category = null: a category_id, or a path and all below it; all when not given
-- parameter country = null: of learners of this country; of all when not given
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
  where (cast(null as string) is null or p.course_id = cast(null as string))
    and (cast(null as string) is null or k.category_id = cast(null as string) or k.path = cast(null as string)
      or starts_with(k.path, cast(null as string) || '/'))
    and (cast(null as string) is null or l.country = cast(null as string))
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
order by s.section nulls last, s.course_id nulls last;

-- reconciliation-differences: Enrollments that only the roster or only the events know
-- grain: a learner in a course
-- (learner, course) pairs that are in staged enrollments and in no registered event, or the other way
-- round, with the first day and the sources that say so. Sums by course: report reconciliation.
-- parameter course = null: a course_id; all courses when not given
-- parameter category = null: a category_id, or a path and all below it; all when not given
-- parameter country = null: of learners of this country; of all when not given
with roster as (
  select learner_key, course_key, max(learner_id) as learner_id, max(course_id) as course_id,
    min(enrolled_date_key) as date_key, string_agg(distinct source, ', ' order by source) as sources
  from staging.live_enrollment
  group by learner_key, course_key
),
events as (
  select learner_key, course_key, max(learner_id) as learner_id, max(course_id) as course_id,
    min(date_key) as date_key, string_agg(distinct source, ', ' order by source) as sources
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
where (cast(null as string) is null or x.course_id = cast(null as string))
  and (cast(null as string) is null or k.category_id = cast(null as string) or k.path = cast(null as string)
    or starts_with(k.path, cast(null as string) || '/'))
  and (cast(null as string) is null or l.country = cast(null as string))
order by course_id nulls last, difference nulls last, first_day nulls last, learner_id nulls last;

-- rejects: Why records were rejected
-- grain: a source, reason and column
-- Rejected records of all loads that count. last_load_id: the newest load that has one. The records
-- themselves: lpa rejects list.
select source, reason_code, column_name, count(*) as records, count(distinct load_id) as loads, max(load_id) as last_load_id
from raw.rejected_rows
group by source, reason_code, column_name
order by records desc nulls last, source nulls last, reason_code nulls last, column_name nulls last;

-- retention: Retention by week of first enrollment
-- grain: a cohort: the learners whose first enrollment fell into an ISO week
-- The share of a cohort (percent) with any event except registered and unregistered in week n after
-- the cohort's week, in whatever course; week_0 is that week itself. Empty where no such events have reached the
-- week; the newest week of events may be incomplete.
-- parameter cohort = null: an ISO week, as 2026-W05; all when not given
-- parameter course = null: whose first enrollment in this course_id it is; in any when not given
-- parameter category = null: whose first enrollment in a category_id, or in a path and all below it, it is; in any when not given
-- parameter country = null: of learners of this country; of all when not given
-- parameter since = null: cohorts whose week begins on this day or later
-- parameter until = null: cohorts whose week begins on this day or earlier
with firsts as (
  select e.learner_key, min(e.enrolled_date_key) as date_key
  from fact_enrollment e
  left join course c on c.course_key = e.course_key
  left join dim_course_category k on k.category_key = c.category_key
  left join learner l on l.learner_key = e.learner_key
  where e.learner_key <> 0
    and (cast(null as string) is null or c.course_id = cast(null as string))
    and (cast(null as string) is null or k.category_id = cast(null as string) or k.path = cast(null as string)
      or starts_with(k.path, cast(null as string) || '/'))
    and (cast(null as string) is null or l.country = cast(null as string))
  group by e.learner_key
),
-- The week's Monday can lie before the first day of dim_date: its name comes from the day of the enrollment.
cohorts as (
  select f.learner_key, (d.full_date + cast(1 - d.day_of_week as int)) as monday,
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
  select distinct a.learner_key, (d.full_date + cast(1 - d.day_of_week as int)) as monday
  from active_days a
  join dim_date d on d.date_key = a.date_key
),
newest as (
  select max(monday) as monday from active_weeks
),
sizes as (
  select monday, cohort, count(*) as learners
  from cohorts
  where (cast(null as date) is null or monday >= cast(null as date))
    and (cast(null as date) is null or monday <= cast(null as date))
  group by monday, cohort
),
active as (
  select c.monday, date_diff('day', cast(c.monday as date), cast(a.monday as date)) as days_after, count(*) as learners
  from cohorts c
  join active_weeks a on a.learner_key = c.learner_key
  where a.monday >= c.monday
  group by c.monday, date_diff('day', cast(c.monday as date), cast(a.monday as date))
),
weeks as (
  select n from (values (0), (1), (2), (3), (4), (5), (6), (7), (8)) as t(n)
),
cells as (
  select s.cohort, s.learners, w.n, case when (s.monday + cast(7 * w.n as int)) <= x.monday
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
where cast(null as string) is null or cohort = cast(null as string)
order by cohort nulls last;

-- stream-offsets: From where streams go on
-- grain: a partition of a topic that was committed
-- next_offset: the offset of the first message that is not in the warehouse yet; committed_at (UTC): when
-- it was moved on last, which a partition without new messages is not.
select source, topic || '-' || cast(partition as string) as place, next_offset, committed_at
from meta.stream_offsets
order by source nulls last, topic nulls last, partition nulls last, topic_id nulls last;

-- suspected-doubles: Events that two sources may both have brought
-- grain: a course and two sources
-- The same learner, course, type, activity and second in two sources: probably one event through two
-- converters. None of them is dropped: each counts until one of the sources is loaded no more. doubles: such
-- instants; share: of the events of the source that has fewer of that course. Inside one source it is ordinary.
-- parameter since = null: first day to look at; the first event when not given
-- parameter until = null: last day to look at; the newest event when not given
-- parameter course = null: a course_id; all courses when not given
-- parameter category = null: a category_id, or a path and all below it; all when not given
-- parameter country = null: of learners of this country; of all when not given
with events as (
  select v.learner_key, v.course_key, v.event_type, v.activity_id, v.source, d.full_date,
    floor((cast(epoch_ms(v.occurred_at) - epoch_ms(timestamp '1970-01-01 00:00:00') as double) / 1000)) as instant
  from fact_learning_event v
  join dim_date d on d.date_key = v.date_key
  join course c on c.course_key = v.course_key
  left join dim_course_category k on k.category_key = c.category_key
  left join learner l on l.learner_key = v.learner_key
  where (cast(null as date) is null or d.full_date >= cast(null as date))
    and (cast(null as date) is null or d.full_date <= cast(null as date))
    and (cast(null as string) is null or c.course_id = cast(null as string))
    and (cast(null as string) is null or k.category_id = cast(null as string) or k.path = cast(null as string)
      or starts_with(k.path, cast(null as string) || '/'))
    and (cast(null as string) is null or l.country = cast(null as string))
),
-- Most warehouses have one source: nothing is compared there.
shared as (
  select course_key from events group by course_key having min(source) <> max(source)
),
instants as (
  select e.learner_key, e.course_key, e.event_type, e.activity_id, e.instant, e.source, min(e.full_date) as full_date
  from events e
  where exists (select 1 from shared s where s.course_key = e.course_key)
  group by e.learner_key, e.course_key, e.event_type, e.activity_id, e.instant, e.source
),
alike as (
  select learner_key, course_key, full_date, source as source_a,
    lead(source) over (partition by learner_key, course_key, event_type, activity_id, instant order by source nulls last) as source_b
  from instants
),
by_source as (
  select course_key, source, count(*) as events
  from events
  group by course_key, source
),
doubled as (
  select course_key, source_a, source_b, count(distinct learner_key) as learners, count(*) as doubles,
    min(full_date) as first_day, max(full_date) as last_day
  from alike
  where source_b is not null
  group by course_key, source_a, source_b
)
select c.course_id, x.source_a, x.source_b, x.doubles, x.learners,
  cast(x.doubles as double) / nullif(case when a.events < b.events then a.events else b.events end, 0) as share,
  x.first_day, x.last_day
from doubled x
join course c on c.course_key = x.course_key
join by_source a on a.course_key = x.course_key and a.source = x.source_a
join by_source b on b.course_key = x.course_key and b.source = x.source_b
order by x.doubles desc nulls last, c.course_id nulls last, x.source_a nulls last, x.source_b nulls last;

-- time-on-task: Time on task by course
-- grain: a course
-- Time on task is the sum of the gaps between a learner's events in a course that lie inside sessions;
-- a longer gap starts a new session, a lone event adds 0. Side by side for the short and the long longest gap
-- (5 and 30 minutes). median_minutes: of a learner, in long sessions. Of some days: sessions are cut at their ends.
-- parameter short_minutes = 5: longest gap inside a short session
-- parameter long_minutes = 30: longest gap inside a long session
-- parameter course = null: a course_id; all courses when not given
-- parameter category = null: a category_id, or a path and all below it; all when not given
-- parameter country = null: of learners of this country; of all when not given
-- parameter since = null: of events on this day or later
-- parameter until = null: of events on this day or earlier
with events as (
  select v.learner_key, v.course_key, v.occurred_at,
    -- Events of one instant may come in any order: their gap is 0 either way.
    lag(v.occurred_at) over (partition by v.learner_key, v.course_key order by v.occurred_at nulls last) as previous_at
  from fact_learning_event v
  join course c on c.course_key = v.course_key
  left join dim_course_category k on k.category_key = c.category_key
  left join learner l on l.learner_key = v.learner_key
  where v.course_key <> 0 and v.learner_key <> 0
    and (cast(null as string) is null or c.course_id = cast(null as string))
    and (cast(null as string) is null or k.category_id = cast(null as string) or k.path = cast(null as string)
      or starts_with(k.path, cast(null as string) || '/'))
    and (cast(null as string) is null or l.country = cast(null as string))
    and (cast(null as date) is null or v.date_key >= cast(extract(year from cast(null as date)) * 10000 + extract(month from cast(null as date)) * 100 + extract(day from cast(null as date)) as int))
    and (cast(null as date) is null or v.date_key <= cast(extract(year from cast(null as date)) * 10000 + extract(month from cast(null as date)) * 100 + extract(day from cast(null as date)) as int))
),
gaps as (
  -- Whole milliseconds: a sum of doubles depends on the order of its rows.
  select learner_key, course_key, cast(floor((cast(epoch_ms(occurred_at) - epoch_ms(previous_at) as double) / 1000) * 1000 + 0.5) as bigint) as gap_ms
  from events
),
by_learner as (
  select learner_key, course_key,
    count(case when gap_ms <= 60000 * cast(5 as int) then null else 1 end) as sessions_short,
    sum(case when gap_ms <= 60000 * cast(5 as int) then gap_ms else 0 end) as short_ms,
    count(case when gap_ms <= 60000 * cast(30 as int) then null else 1 end) as sessions_long,
    sum(case when gap_ms <= 60000 * cast(30 as int) then gap_ms else 0 end) as long_ms
  from gaps
  group by learner_key, course_key
),
by_course as (
  select course_key, count(*) as learners, sum(b.sessions_short) as sessions_short, sum(b.short_ms) as short_ms,
    sum(b.sessions_long) as sessions_long, sum(b.long_ms) as long_ms, median(b.long_ms) as median_ms
  from by_learner b
  group by course_key
)
select c.course_id, coalesce(c.course_title, c.course_id) as course_title, b.learners, cast(b.sessions_short as bigint) as sessions_short,
  floor(cast(b.short_ms as double) / 36000 + 0.5) / 100 as hours_short, cast(b.sessions_long as bigint) as sessions_long,
  floor(cast(b.long_ms as double) / 36000 + 0.5) / 100 as hours_long,
  floor(cast(b.median_ms as double) / 6000 + 0.5) / 10 as median_minutes
from by_course b
join course c on c.course_key = b.course_key
order by hours_long desc nulls last, course_id nulls last;

-- time-to-completion: Time to completion by course
-- grain: a course, after one row for all courses together
-- Days from a learner's enrollment to the first completion of the course: median and quartiles of those
-- who completed. Censored are those without a completion: still_open, or withdrawn in their latest attempt;
-- enrolled = completed + withdrawn + still_open, in (learner, course) pairs.
-- parameter course = null: a course_id; all courses when not given
-- parameter category = null: a category_id, or a path and all below it; all when not given
-- parameter country = null: of learners of this country; of all when not given
-- parameter since = null: enrolled on this day or later
-- parameter until = null: enrolled on this day or earlier
-- parameter cohort = null: of learners whose first enrollment in any course was in this ISO week, as 2026-W05
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
  where (cast(null as string) is null or c.course_id = cast(null as string))
    and (cast(null as string) is null or k.category_id = cast(null as string) or k.path = cast(null as string)
      or starts_with(k.path, cast(null as string) || '/'))
    and (cast(null as string) is null or l.country = cast(null as string))
    and (cast(null as date) is null or e.enrolled_date_key >= cast(extract(year from cast(null as date)) * 10000 + extract(month from cast(null as date)) * 100 + extract(day from cast(null as date)) as int))
    and (cast(null as date) is null or e.enrolled_date_key <= cast(extract(year from cast(null as date)) * 10000 + extract(month from cast(null as date)) * 100 + extract(day from cast(null as date)) as int))
    and (cast(null as string) is null or h.cohort = cast(null as string))
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
order by case when b.course_key = 0 then 0 else 1 end nulls last, enrolled desc nulls last, course_id nulls last;
