-- title: Enrollments and completions up the category hierarchy
-- grain: a category, with everything below it
-- definition: Courses of the category and of all categories under it, their enrollments (attempts), distinct
--   learners, distinct (learner, course) pairs, and the share of the pairs that completed.
-- chart: bar x=path y=enrollments
-- cells: enrollments, learners, pairs, completed
-- cells: enrollments, pairs, completed add up along path
-- cells: completed is part of pairs
-- cells: completion_percent follows pairs, completed
-- cells: enrollments follows learners
-- cells: enrollments, learners follow pairs
-- cells: pairs by path adds up enrolled of completion-rate
-- cells: completed by path adds up completed of completion-rate
-- narrows: category, country, since, until
-- param: category text null "a category_id, or a path and all below it; all when not given"
-- param: country text null "of learners of this country; of all when not given"
-- param: since date null "enrolled on this day or later"
-- param: until date null "enrolled on this day or earlier"
with recursive up as (
  select category_key, category_key as ancestor_key, 0 as distance
  from dim_course_category
  union all
  select u.category_key, k.parent_category_key, u.distance + 1
  from up u
  join dim_course_category k on k.category_key = u.ancestor_key
  -- The bound ends a hierarchy that runs in a circle.
  where k.parent_category_key is not null and u.distance < 20
),
pairs as (
  select e.learner_key, e.course_key, count(*) as attempts
  from fact_enrollment e
  left join learner l on l.learner_key = e.learner_key
  where (cast($country as string) is null or l.country = cast($country as string))
    and (cast($since as date) is null or e.enrolled_date_key >= lpa_date_key(cast($since as date)))
    and (cast($until as date) is null or e.enrolled_date_key <= lpa_date_key(cast($until as date)))
  group by e.learner_key, e.course_key
),
enrolled as (
  select c.category_key, p.learner_key, sum(p.attempts) as attempts, count(*) as pairs, count(f.completed_at) as completed
  from pairs p
  join course c on c.course_key = p.course_key
  left join fact_course_completion f on f.learner_key = p.learner_key and f.course_key = p.course_key
  group by c.category_key, p.learner_key
),
totals as (
  select u.ancestor_key as category_key, sum(e.attempts) as enrollments, count(distinct e.learner_key) as learners,
    sum(e.pairs) as pairs, sum(e.completed) as completed
  from up u
  join enrolled e on e.category_key = u.category_key
  group by u.ancestor_key
),
sizes as (
  select u.ancestor_key as category_key, count(*) as courses
  from up u
  join course c on c.category_key = u.category_key
  where c.course_key <> 0
  group by u.ancestor_key
)
select k.level, repeat('  ', k.level - 1) || coalesce(k.category_name, '(none)') as category, coalesce(k.path, '(none)') as path,
  coalesce(s.courses, 0) as courses, cast(coalesce(t.enrollments, 0) as bigint) as enrollments, coalesce(t.learners, 0) as learners,
  cast(coalesce(t.pairs, 0) as bigint) as pairs, cast(coalesce(t.completed, 0) as bigint) as completed,
  floor(1000 * cast(t.completed as double) / nullif(t.pairs, 0) + 0.5) / 10 as completion_percent
from dim_course_category k
left join sizes s on s.category_key = k.category_key
left join totals t on t.category_key = k.category_key
where (k.category_key <> 0 or s.courses > 0)
  and (cast($category as string) is null or k.category_id = cast($category as string) or k.path = cast($category as string)
    or lpa_starts_with(k.path, cast($category as string) || '/'))
-- Children directly below their parent: the separator sorts before every letter.
order by case when k.category_key = 0 then 1 else 0 end nulls last, replace(k.path, '/', chr(1)) nulls last, k.category_key nulls last
