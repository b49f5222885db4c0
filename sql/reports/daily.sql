-- title: The platform day by day
-- grain: a day, from the first that has something to count to the newest day of the data
-- definition: Enrollments and first completions by their day; active_learners: distinct learners with any event
--   except registered and unregistered; events: all events.
-- chart: line x=day y=enrollments,completions,active_learners
-- cells: enrollments, completions, active_learners, events
-- cells: enrollments, completions, events add up
-- cells: events follow active_learners
-- cells: joined by day with completions
-- narrows: course, category, country
-- param: since date null "first day to show; the first of the data when not given"
-- param: until date null "last day to show; the newest of the data when not given"
-- param: course text null "of this course_id; of all, and of none, when not given"
-- param: category text null "of a category_id, or of a path and all below it; of all when not given"
-- param: country text null "of learners of this country; of all when not given"
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
enrolled as (
  select e.enrolled_date_key as date_key, count(*) as enrollments
  from fact_enrollment e
  left join courses c on c.course_key = e.course_key
  left join learners l on l.learner_key = e.learner_key
  where (cast($country as string) is null or l.learner_key is not null)
    and (cast($course as string) is null and cast($category as string) is null or c.course_key is not null)
  group by e.enrolled_date_key
),
completed as (
  select f.completed_date_key as date_key, count(*) as completions
  from fact_course_completion f
  left join courses c on c.course_key = f.course_key
  left join learners l on l.learner_key = f.learner_key
  where (cast($country as string) is null or l.learner_key is not null)
    and (cast($course as string) is null and cast($category as string) is null or c.course_key is not null)
  group by f.completed_date_key
),
happened as (
  select v.date_key, count(*) as events,
    count(distinct case when v.learner_key <> 0 and v.event_type not in ('registered', 'unregistered') then v.learner_key end) as active_learners
  from fact_learning_event v
  left join courses c on c.course_key = v.course_key
  left join learners l on l.learner_key = v.learner_key
  where (cast($country as string) is null or l.learner_key is not null)
    and (cast($course as string) is null and cast($category as string) is null or c.course_key is not null)
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
where (cast($since as date) is null or d.full_date >= cast($since as date))
  and (cast($until as date) is null or d.full_date <= cast($until as date))
order by day nulls last
