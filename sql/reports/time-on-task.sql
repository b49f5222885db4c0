-- title: Time on task by course
-- grain: a course
-- definition: Time on task is the sum of the gaps between a learner's events in a course that lie inside sessions;
--   a longer gap starts a new session, a lone event adds 0. Side by side for the short and the long longest gap
--   (5 and 30 minutes). median_minutes: of a learner, in long sessions. Of some days: sessions are cut at their ends.
-- chart: bar x=course_title y=hours_long,hours_short
-- cells: learners
-- cells: learners add up
-- cells: sessions_short, hours_short, sessions_long, hours_long, median_minutes follow learners
-- cells: learners by course_id is viewed of completion-rate
-- cells: the order follows hours_long
-- narrows: category, country, since, until
-- param: short_minutes integer 5 "longest gap inside a short session"
-- param: long_minutes integer 30 "longest gap inside a long session"
-- setting: long_minutes = metrics.session_gap_minutes
-- param: course text null "a course_id; all courses when not given"
-- param: category text null "a category_id, or a path and all below it; all when not given"
-- param: country text null "of learners of this country; of all when not given"
-- param: since date null "of events on this day or later"
-- param: until date null "of events on this day or earlier"
with events as (
  select v.learner_key, v.course_key, v.occurred_at,
    -- Events of one instant may come in any order: their gap is 0 either way.
    lag(v.occurred_at) over (partition by v.learner_key, v.course_key order by v.occurred_at nulls last) as previous_at
  from fact_learning_event v
  join course c on c.course_key = v.course_key
  left join dim_course_category k on k.category_key = c.category_key
  left join learner l on l.learner_key = v.learner_key
  where v.course_key <> 0 and v.learner_key <> 0
    and (cast($course as string) is null or c.course_id = cast($course as string))
    and (cast($category as string) is null or k.category_id = cast($category as string) or k.path = cast($category as string)
      or lpa_starts_with(k.path, cast($category as string) || '/'))
    and (cast($country as string) is null or l.country = cast($country as string))
    and (cast($since as date) is null or v.date_key >= lpa_date_key(cast($since as date)))
    and (cast($until as date) is null or v.date_key <= lpa_date_key(cast($until as date)))
),
gaps as (
  -- Whole milliseconds: a sum of doubles depends on the order of its rows.
  select learner_key, course_key, cast(floor(lpa_seconds(previous_at, occurred_at) * 1000 + 0.5) as bigint) as gap_ms
  from events
),
by_learner as (
  select learner_key, course_key,
    count(case when gap_ms <= 60000 * cast($short_minutes as int) then null else 1 end) as sessions_short,
    sum(case when gap_ms <= 60000 * cast($short_minutes as int) then gap_ms else 0 end) as short_ms,
    count(case when gap_ms <= 60000 * cast($long_minutes as int) then null else 1 end) as sessions_long,
    sum(case when gap_ms <= 60000 * cast($long_minutes as int) then gap_ms else 0 end) as long_ms
  from gaps
  group by learner_key, course_key
),
by_course as (
  select course_key, count(*) as learners, sum(b.sessions_short) as sessions_short, sum(b.short_ms) as short_ms,
    sum(b.sessions_long) as sessions_long, sum(b.long_ms) as long_ms, median(b.long_ms) as median_ms
  from by_learner b
  group by course_key
)
select c.course_id, coalesce(c.course_title, c.course_id) as course_title, b.learners, cast(b.sessions_short as bigint) as sessions_short,
  floor(cast(b.short_ms as double) / 36000 + 0.5) / 100 as hours_short, cast(b.sessions_long as bigint) as sessions_long,
  floor(cast(b.long_ms as double) / 36000 + 0.5) / 100 as hours_long,
  floor(cast(b.median_ms as double) / 6000 + 0.5) / 10 as median_minutes
from by_course b
join course c on c.course_key = b.course_key
order by hours_long desc nulls last, course_id nulls last
