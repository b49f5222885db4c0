-- title: Completions by day
-- grain: a day, from the first completion to the newest day of the data
-- definition: Learners' first completions of courses by the day they finished. passed counts those known to be
--   passed. mean_7_days: the mean of the day and the six before it (fewer at the start). week_before: the same
--   weekday one week earlier.
-- chart: line x=day y=completions
-- cells: completions, passed, week_before
-- cells: completions, passed add up
-- cells: passed is part of completions
-- cells: week_before is completions 7 rows before
-- cells: mean_7_days is the mean of completions over 7 rows
-- cells: change_percent follows completions, week_before
-- cells: joined by day to daily
-- narrows: course, category, country
-- param: since date null "first day to show; the first completion when not given"
-- param: until date null "last day to show; the newest day of the data when not given"
-- param: course text null "a course_id; all courses when not given"
-- param: category text null "a category_id, or a path and all below it; all when not given"
-- param: country text null "of learners of this country; of all when not given"
with by_day as (
  select completed_date_key as date_key, count(*) as completions, count(case when passed then 1 end) as passed
  from fact_course_completion e
  left join course c on c.course_key = e.course_key
  left join dim_course_category k on k.category_key = c.category_key
  left join learner l on l.learner_key = e.learner_key
  where (cast($course as string) is null or c.course_id = cast($course as string))
    and (cast($category as string) is null or k.category_id = cast($category as string) or k.path = cast($category as string)
      or lpa_starts_with(k.path, cast($category as string) || '/'))
    and (cast($country as string) is null or l.country = cast($country as string))
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
where (cast($since as date) is null or day >= cast($since as date))
  and (cast($until as date) is null or day <= cast($until as date))
order by day nulls last
