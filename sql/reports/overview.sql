-- title: The platform at a glance
-- grain: a key figure
-- definition: The newest days of the data, whatever is chosen of it, against as many before them. enrollments: attempts
--   begun; completions: first completions; active_learners: distinct learners with any event except registered and
--   unregistered; events: all; completion_rate: (learner, course) pairs completed ÷ pairs enrolled, up to the newest
--   day and, before, up to the day that the window began after.
-- chart: kpi x=kpi y=value,change_percent
-- cells: value, previous in the rows enrollments, completions, active_learners, events
-- cells: change_percent follows value, previous
-- cells: the row completion_rate follows enrollments, completions
-- cells: the row events follows active_learners
-- cells: value, previous in the row completion_rate are of_enrolled_percent of completion-rate
-- cells: value, previous in the row enrollments sum windows of enrollments of daily
-- cells: value, previous in the row completions sum windows of completions of daily
-- cells: value, previous in the row events sum windows of events of daily
-- narrows: course, category, country
-- param: days integer 7 "length of the window in days"
-- param: course text null "of this course_id; of all, and of none, when not given"
-- param: category text null "of a category_id, or of a path and all below it; of all when not given"
-- param: country text null "of learners of this country; of all when not given"
with windows as (
  select lpa_date_key(lpa_add_days(d.full_date, 1 - cast($days as int))) as current_from,
    lpa_date_key(lpa_add_days(d.full_date, 1 - 2 * cast($days as int))) as previous_from
  from newest_day n
  join dim_date d on d.date_key = n.date_key
),
courses as (
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
  select count(case when e.enrolled_date_key >= w.current_from then 1 end) as current_count,
    count(case when e.enrolled_date_key < w.current_from then 1 end) as previous_count
  from fact_enrollment e
  cross join windows w
  left join courses c on c.course_key = e.course_key
  left join learners l on l.learner_key = e.learner_key
  where e.enrolled_date_key >= w.previous_from
    and (cast($country as string) is null or l.learner_key is not null)
    and (cast($course as string) is null and cast($category as string) is null or c.course_key is not null)
),
completed as (
  select count(case when f.completed_date_key >= w.current_from then 1 end) as current_count,
    count(case when f.completed_date_key < w.current_from then 1 end) as previous_count
  from fact_course_completion f
  cross join windows w
  left join courses c on c.course_key = f.course_key
  left join learners l on l.learner_key = f.learner_key
  where f.completed_date_key >= w.previous_from
    and (cast($country as string) is null or l.learner_key is not null)
    and (cast($course as string) is null and cast($category as string) is null or c.course_key is not null)
),
active as (
  select count(distinct case when v.date_key >= w.current_from then v.learner_key end) as current_count,
    count(distinct case when v.date_key < w.current_from then v.learner_key end) as previous_count
  from fact_learning_event v
  cross join windows w
  left join courses c on c.course_key = v.course_key
  left join learners l on l.learner_key = v.learner_key
  where v.date_key >= w.previous_from and v.learner_key <> 0 and v.event_type not in ('registered', 'unregistered')
    and (cast($country as string) is null or l.learner_key is not null)
    and (cast($course as string) is null and cast($category as string) is null or c.course_key is not null)
),
happened as (
  select count(case when v.date_key >= w.current_from then 1 end) as current_count,
    count(case when v.date_key < w.current_from then 1 end) as previous_count
  from fact_learning_event v
  cross join windows w
  left join courses c on c.course_key = v.course_key
  left join learners l on l.learner_key = v.learner_key
  where v.date_key >= w.previous_from
    and (cast($country as string) is null or l.learner_key is not null)
    and (cast($course as string) is null and cast($category as string) is null or c.course_key is not null)
),
pairs as (
  select e.learner_key, e.course_key, min(e.enrolled_date_key) as date_key
  from fact_enrollment e
  left join courses c on c.course_key = e.course_key
  left join learners l on l.learner_key = e.learner_key
  where (cast($country as string) is null or l.learner_key is not null)
    and (cast($course as string) is null and cast($category as string) is null or c.course_key is not null)
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
order by kpi_no nulls last
