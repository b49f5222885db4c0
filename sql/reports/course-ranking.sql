-- title: Courses ranked by completion
-- grain: a course
-- definition: Courses by the share of their enrolled (learner, course) pairs that completed. place: among all ranked
--   courses; place_in_category: among those of the same category; quartile 1 is the best quarter; ahead_of: the
--   percent of the other ranked courses with a lower share. Courses with fewer than min_learners are not ranked; of
--   some learners or days, among the courses that have enough of these.
-- chart: bar x=course_title y=completion_percent
-- cells: learners, completed
-- cells: learners, completed add up
-- cells: completed is part of learners
-- cells: place, place_in_category, completion_percent, mean_score_percent, quartile, ahead_of_percent follow learners, completed
-- cells: learners by course_id is enrolled of completion-rate
-- cells: completed by course_id is completed of completion-rate
-- cells: the order follows place
-- cells: min_learners is at least the threshold
-- table: place, course_id, course_title, category, learners, completed, completion_percent
-- narrows: category, country, since, until
-- param: min_learners integer 5 "courses with fewer learners are left out"
-- param: top integer 10 "places to show in each category"
-- param: category text null "ranks those of a category_id, or of a path and all below it, only; all when not given"
-- param: country text null "of learners of this country; of all when not given"
-- param: since date null "enrolled on this day or later"
-- param: until date null "enrolled on this day or earlier"
with pairs as (
  select distinct e.learner_key, e.course_key
  from fact_enrollment e
  left join course c on c.course_key = e.course_key
  left join dim_course_category k on k.category_key = c.category_key
  left join learner l on l.learner_key = e.learner_key
  where (cast($category as string) is null or k.category_id = cast($category as string) or k.path = cast($category as string)
      or lpa_starts_with(k.path, cast($category as string) || '/'))
    and (cast($country as string) is null or l.country = cast($country as string))
    and (cast($since as date) is null or e.enrolled_date_key >= lpa_date_key(cast($since as date)))
    and (cast($until as date) is null or e.enrolled_date_key <= lpa_date_key(cast($until as date)))
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
  where s.learners >= cast($min_learners as int)
)
select place, course_id, course_title, category, place_in_category, learners, completed,
  floor(1000 * cast(completed as double) / nullif(learners, 0) + 0.5) / 10 as completion_percent, floor(mean_score * 1000 + 0.5) / 10 as mean_score_percent, quartile,
  floor(ahead_of * 1000 + 0.5) / 10 as ahead_of_percent
from ranked
where place_in_category <= cast($top as int)
order by place nulls last, course_id nulls last
