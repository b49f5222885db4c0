-- title: Courses
-- grain: a course with enrollments
-- definition: enrolled, completed: distinct (learner, course) pairs; mean_progress_percent: the mean course progress of
--   the enrolled (activities completed ÷ required, else the latest reported of the course; none counts as 0; empty when the course
--   reports none at all). new_enrollments: attempts begun in the newest days of the data, against as many days before.
-- chart: bar x=course_title y=enrolled,completed
-- param: days integer 7 "length of the window in days"
with newest as (
  select max(t.date_key) as date_key
  from (
    select max(enrolled_date_key) as date_key from fact_enrollment
    union all
    select max(completed_date_key) as date_key from fact_course_completion
    union all
    select max(date_key) as date_key from fact_learning_event
  ) t
),
windows as (
  select lpa_date_key(lpa_add_days(d.full_date, 1 - cast($days as int))) as current_from,
    lpa_date_key(lpa_add_days(d.full_date, 1 - 2 * cast($days as int))) as previous_from
  from newest n
  join dim_date d on d.date_key = n.date_key
),
pairs as (
  select e.learner_key, e.course_key, count(case when e.enrolled_date_key >= w.current_from then 1 end) as current_count,
    count(case when e.enrolled_date_key >= w.previous_from and e.enrolled_date_key < w.current_from then 1 end) as previous_count
  from fact_enrollment e
  cross join windows w
  group by e.learner_key, e.course_key
),
done as (
  select learner_key, course_key, count(*) as activities
  from (
    select distinct learner_key, course_key, activity_id
    from fact_learning_event
    where course_key <> 0 and event_type = 'completed' and activity_id is not null and coalesce(activity_type, '') <> 'course'
  ) t
  group by learner_key, course_key
),
reported as (
  select learner_key, course_key, progress
  from fact_learning_event
  where course_key <> 0 and progress is not null and coalesce(activity_type, 'course') = 'course'
  qualify row_number() over (partition by learner_key, course_key order by occurred_at desc nulls last, event_id desc nulls last) = 1
),
required as (
  select course_key, lpa_number(attributes, 'required_activities') as activities
  from course
),
progressed as (
  select p.course_key, p.current_count, p.previous_count, f.completed_at,
    coalesce(cast(d.activities as double) / nullif(q.activities, 0), r.progress) as progress
  from pairs p
  left join done d on d.learner_key = p.learner_key and d.course_key = p.course_key
  left join reported r on r.learner_key = p.learner_key and r.course_key = p.course_key
  left join required q on q.course_key = p.course_key
  left join fact_course_completion f on f.learner_key = p.learner_key and f.course_key = p.course_key
),
by_course as (
  select course_key, count(*) as enrolled, count(completed_at) as completed, sum(current_count) as current_count,
    sum(previous_count) as previous_count, count(progress) as with_progress,
    avg(case when progress > 1 then 1 when progress is null then 0 else progress end) as mean_progress
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
