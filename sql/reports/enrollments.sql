-- title: Enrollments by day
-- grain: a day, from the first enrollment to the newest day of the data
-- definition: Attempts of learners at courses by the day they began. mean_7_days: the mean of the day and
--   the six before it (fewer at the start). week_before: the same weekday one week earlier.
-- chart: line x=day y=enrollments
-- cells: enrollments, week_before
-- cells: enrollments add up
-- cells: week_before is enrollments 7 rows before
-- cells: mean_7_days is the mean of enrollments over 7 rows
-- cells: change_percent follows enrollments, week_before
-- cells: enrollments by day is enrollments of daily
-- narrows: course, category, country
-- param: since date null "first day to show; the first enrollment when not given"
-- param: until date null "last day to show; the newest day of the data when not given"
-- param: course text null "a course_id; all courses when not given"
-- param: category text null "a category_id, or a path and all below it; all when not given"
-- param: country text null "of learners of this country; of all when not given"
with by_day as (
  select enrolled_date_key as date_key, count(*) as enrollments
  from fact_enrollment e
  left join course c on c.course_key = e.course_key
  left join dim_course_category k on k.category_key = c.category_key
  left join learner l on l.learner_key = e.learner_key
  where (cast($course as string) is null or c.course_id = cast($course as string))
    and (cast($category as string) is null or k.category_id = cast($category as string) or k.path = cast($category as string)
      or lpa_starts_with(k.path, cast($category as string) || '/'))
    and (cast($country as string) is null or l.country = cast($country as string))
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
where (cast($since as date) is null or day >= cast($since as date))
  and (cast($until as date) is null or day <= cast($until as date))
order by day nulls last
