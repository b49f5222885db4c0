-- title: The platform day by day
-- grain: a day, from the first to the newest day of the data
-- definition: Enrollments and first completions by their day; active_learners: distinct learners with any event
--   except registered and unregistered; events: all events.
-- chart: line x=day y=enrollments,completions,active_learners
-- cells: enrollments, completions, active_learners, events
-- cells: enrollments, completions, events add up
-- cells: events follow active_learners
-- param: since date null "first day to show; the first of the data when not given"
-- param: until date null "last day to show; the newest of the data when not given"
with enrolled as (
  select enrolled_date_key as date_key, count(*) as enrollments
  from fact_enrollment
  group by enrolled_date_key
),
completed as (
  select completed_date_key as date_key, count(*) as completions
  from fact_course_completion
  group by completed_date_key
),
happened as (
  select date_key, count(*) as events,
    count(distinct case when learner_key <> 0 and event_type not in ('registered', 'unregistered') then learner_key end) as active_learners
  from fact_learning_event
  group by date_key
),
bounds as (
  select min(t.date_key) as first_key, max(t.date_key) as last_key
  from (select date_key from enrolled union all select date_key from completed union all select date_key from happened) t
)
select d.full_date as day, substr(d.day_name, 1, 3) as weekday, coalesce(e.enrollments, 0) as enrollments,
  coalesce(c.completions, 0) as completions, coalesce(h.active_learners, 0) as active_learners, coalesce(h.events, 0) as events
from dim_date d
join bounds b on d.date_key between b.first_key and b.last_key
left join enrolled e on e.date_key = d.date_key
left join completed c on c.date_key = d.date_key
left join happened h on h.date_key = d.date_key
where (cast($since as date) is null or d.full_date >= cast($since as date))
  and (cast($until as date) is null or d.full_date <= cast($until as date))
order by day nulls last
