-- title: Where learners stop
-- grain: an activity of a course, in the course's order
-- definition: The last activity that each learner reached, by its order in the course: the number in the activity's
--   id (COURSE/NN-name), else the order in which anybody first reached it. reached: learners who got at least this
--   far; last_here: those who got no further; dropped: of them, those who did not complete the course;
--   dropped_percent: dropped ÷ reached. The order is that of all learners, whomever the counts are of.
-- chart: bar x=activity_id y=reached,dropped
-- cells: reached, last_here, dropped
-- cells: reached falls by last_here within course_id
-- cells: dropped is part of last_here
-- cells: dropped_percent follows reached, dropped
-- narrows: category, country, since, until
-- param: course text null "a course_id; all courses when not given"
-- param: category text null "a category_id, or a path and all below it; all when not given"
-- param: country text null "of learners of this country; of all when not given"
-- param: since date null "of who enrolled in the course on this day or later"
-- param: until date null "of who enrolled in the course on this day or earlier"
with reached as (
  select v.course_key, v.activity_id, v.learner_key, min(v.occurred_at) as first_at
  from fact_learning_event v
  join course c on c.course_key = v.course_key
  left join dim_course_category k on k.category_key = c.category_key
  where v.course_key <> 0 and v.learner_key <> 0 and v.activity_id is not null
    and v.event_type not in ('registered', 'unregistered') and coalesce(v.activity_type, '') not in ('course', 'certificate')
    and (cast($course as string) is null or c.course_id = cast($course as string))
    and (cast($category as string) is null or k.category_id = cast($category as string) or k.path = cast($category as string)
      or lpa_starts_with(k.path, cast($category as string) || '/'))
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
  where (cast($since as date) is null or enrolled_date_key >= lpa_date_key(cast($since as date)))
    and (cast($until as date) is null or enrolled_date_key <= lpa_date_key(cast($until as date)))
),
furthest as (
  select r.course_key, r.learner_key, max(p.position) as position
  from reached r
  join positions p on p.course_key = r.course_key and p.activity_id = r.activity_id
  left join learner l on l.learner_key = r.learner_key
  left join enrolled e on e.learner_key = r.learner_key and e.course_key = r.course_key
  where (cast($country as string) is null or l.country = cast($country as string))
    and (cast($since as date) is null and cast($until as date) is null or e.learner_key is not null)
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
order by course_id nulls last, n.position nulls last
