-- title: Events that two sources may both have brought
-- grain: a course and two sources
-- definition: The same learner, course, type, activity and second in two sources: probably one event through two
--   converters. None of them is dropped: each counts until one of the sources is loaded no more. doubles: such
--   instants; share: of the events of the source that has fewer of that course. Inside one source it is ordinary.
-- chart: bar x=course_id y=doubles
-- cells: learners
-- cells: doubles, share, first_day, last_day follow learners
-- cells: the order follows doubles
-- narrows: since, until, category, country
-- param: since date null "first day to look at; the first event when not given"
-- param: until date null "last day to look at; the newest event when not given"
-- param: course text null "a course_id; all courses when not given"
-- param: category text null "a category_id, or a path and all below it; all when not given"
-- param: country text null "of learners of this country; of all when not given"
with events as (
  select v.learner_key, v.course_key, v.event_type, v.activity_id, v.source, d.full_date,
    floor(lpa_seconds(timestamp '1970-01-01 00:00:00', v.occurred_at)) as instant
  from fact_learning_event v
  join dim_date d on d.date_key = v.date_key
  join course c on c.course_key = v.course_key
  left join dim_course_category k on k.category_key = c.category_key
  left join learner l on l.learner_key = v.learner_key
  where (cast($since as date) is null or d.full_date >= cast($since as date))
    and (cast($until as date) is null or d.full_date <= cast($until as date))
    and (cast($course as string) is null or c.course_id = cast($course as string))
    and (cast($category as string) is null or k.category_id = cast($category as string) or k.path = cast($category as string)
      or lpa_starts_with(k.path, cast($category as string) || '/'))
    and (cast($country as string) is null or l.country = cast($country as string))
),
-- Most warehouses have one source: nothing is compared there.
shared as (
  select course_key from events group by course_key having min(source) <> max(source)
),
instants as (
  select e.learner_key, e.course_key, e.event_type, e.activity_id, e.instant, e.source, min(e.full_date) as full_date
  from events e
  where exists (select 1 from shared s where s.course_key = e.course_key)
  group by e.learner_key, e.course_key, e.event_type, e.activity_id, e.instant, e.source
),
alike as (
  select learner_key, course_key, full_date, source as source_a,
    lead(source) over (partition by learner_key, course_key, event_type, activity_id, instant order by source nulls last) as source_b
  from instants
),
by_source as (
  select course_key, source, count(*) as events
  from events
  group by course_key, source
),
doubled as (
  select course_key, source_a, source_b, count(distinct learner_key) as learners, count(*) as doubles,
    min(full_date) as first_day, max(full_date) as last_day
  from alike
  where source_b is not null
  group by course_key, source_a, source_b
)
select c.course_id, x.source_a, x.source_b, x.doubles, x.learners,
  cast(x.doubles as double) / nullif(case when a.events < b.events then a.events else b.events end, 0) as share,
  x.first_day, x.last_day
from doubled x
join course c on c.course_key = x.course_key
join by_source a on a.course_key = x.course_key and a.source = x.source_a
join by_source b on b.course_key = x.course_key and b.source = x.source_b
order by x.doubles desc nulls last, c.course_id nulls last, x.source_a nulls last, x.source_b nulls last
