-- title: Courses
-- grain: a course with enrollments
-- definition: enrolled, completed: distinct (learner, course) pairs; mean_progress_percent: the mean course progress of
--   the enrolled (activities completed ÷ required, else the latest reported of the course; none counts as 0; empty when the course
--   reports none at all). new_enrollments: attempts begun in the newest days of the data, against as many days before.
-- chart: bar x=course_title y=enrolled,completed
-- cells: enrolled, completed, new_enrollments, enrollments_before
-- cells: enrolled, completed, new_enrollments, enrollments_before add up
-- cells: completed is part of enrolled
-- cells: completion_percent follows enrolled, completed
-- cells: mean_progress_percent follows enrolled
-- cells: change_percent follows new_enrollments, enrollments_before
-- cells: enrolled by course_id is enrolled of completion-rate
-- cells: completed by course_id is completed of completion-rate
-- cells: new_enrollments, enrollments_before sum windows of enrollments of daily
-- cells: the order follows enrolled
-- narrows: course, category, country
-- table: course_id, course_title, enrolled, completed, completion_percent, mean_progress_percent
-- param: days integer 7 "length of the window in days"
-- param: course text null "a course_id; all courses when not given"
-- param: category text null "a category_id, or a path and all below it; all when not given"
-- param: country text null "of learners of this country; of all when not given"
with windows as (
  select lpa_date_key(lpa_add_days(d.full_date, 1 - cast($days as int))) as current_from,
    lpa_date_key(lpa_add_days(d.full_date, 1 - 2 * cast($days as int))) as previous_from
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
  where (cast($course as string) is null or c.course_id = cast($course as string))
    and (cast($category as string) is null or k.category_id = cast($category as string) or k.path = cast($category as string)
      or lpa_starts_with(k.path, cast($category as string) || '/'))
    and (cast($country as string) is null or l.country = cast($country as string))
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
order by enrolled desc nulls last, course_id nulls last
