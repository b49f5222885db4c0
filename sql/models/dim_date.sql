-- title: Days
-- grain: a day, whole years around every date of the facts
-- definition: ISO weeks and weekdays; term from [terms] of the configuration
-- materialise: table window(touched_date)
with digits as (
  select n from (values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) as t(n)
),
dates as (
  select min(date_key) as first_key, max(date_key) as last_key from fact_learning_event
  union all select min(enrolled_date_key), max(enrolled_date_key) from fact_enrollment
  union all select min(withdrawn_date_key), max(withdrawn_date_key) from fact_enrollment
  union all select min(completed_date_key), max(completed_date_key) from fact_course_completion
),
bounds as (
  select floor(cast(min(first_key) as double) / 10000) as first_year, floor(cast(max(last_key) as double) / 10000) as last_year from dates
),
years as (
  select y.n as year
  from (select a.n + 10 * b.n + 100 * c.n + 1000 * d.n as n from digits a cross join digits b cross join digits c cross join digits d) y
  join bounds b on y.n between b.first_year and b.last_year
),
numbers as (
  select a.n + 10 * b.n + 100 * c.n as n
  from digits a cross join digits b cross join digits c
  where a.n + 10 * b.n + 100 * c.n < 366
),
placed as (
  select y.year, lpa_add_days(cast(lpad(cast(y.year as string), 4, '0') || '-01-01' as date), n.n) as full_date
  from years y
  cross join numbers n
),
-- 0001-01-01 is a Monday.
days as (
  select full_date, lpa_days(date '0001-01-01', full_date) as day_no
  from placed
  where extract(year from full_date) = year
),
weeks as (
  select full_date, cast(day_no % 7 + 1 as int) as day_of_week, lpa_add_days(full_date, 3 - day_no % 7) as thursday
  from days
)
select lpa_date_key(w.full_date) as date_key, w.full_date,
  cast(extract(year from w.full_date) as int) as year, cast(extract(quarter from w.full_date) as int) as quarter,
  cast(extract(month from w.full_date) as int) as month,
  case extract(month from w.full_date) when 1 then 'January' when 2 then 'February' when 3 then 'March' when 4 then 'April'
    when 5 then 'May' when 6 then 'June' when 7 then 'July' when 8 then 'August' when 9 then 'September' when 10 then 'October'
    when 11 then 'November' else 'December' end as month_name,
  cast(extract(year from w.thursday) as int) as iso_year,
  cast(floor(cast(dayofyear(w.thursday) - 1 as double) / 7) + 1 as int) as iso_week,
  cast(extract(day from w.full_date) as int) as day_of_month, w.day_of_week,
  case w.day_of_week when 1 then 'Monday' when 2 then 'Tuesday' when 3 then 'Wednesday' when 4 then 'Thursday'
    when 5 then 'Friday' when 6 then 'Saturday' else 'Sunday' end as day_name,
  w.day_of_week >= 6 as is_weekend, t.term
from weeks w
left join configured_term t on w.full_date between t.first_day and t.last_day
