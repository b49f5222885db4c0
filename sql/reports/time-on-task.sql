-- title: Time on task by course
-- grain: a course
-- definition: Time on task is the sum of the gaps between a learner's events in a course that lie inside sessions;
--   a longer gap starts a new session, a lone event adds 0. Side by side for the short and the long longest gap
--   (5 and 30 minutes). median_minutes: of a learner, in long sessions.
-- chart: bar x=course_title y=hours_long,hours_short
-- param: short_minutes integer 5 "longest gap inside a short session"
-- param: long_minutes integer 30 "longest gap inside a long session"
-- setting: long_minutes = metrics.session_gap_minutes
-- param: course text null "a course_id; all courses when not given"
with events as (
  select v.learner_key, v.course_key, v.occurred_at,
    -- Events of one instant may come in any order: their gap is 0 either way.
    lag(v.occurred_at) over (partition by v.learner_key, v.course_key order by v.occurred_at nulls last) as previous_at
  from fact_learning_event v
  join course c on c.course_key = v.course_key
  where v.course_key <> 0 and v.learner_key <> 0 and (cast($course as string) is null or c.course_id = cast($course as string))
),
gaps as (
  select learner_key, course_key, lpa_seconds(previous_at, occurred_at) as gap
  from events
),
by_learner as (
  select learner_key, course_key,
    count(case when gap <= 60 * cast($short_minutes as int) then null else 1 end) as sessions_short,
    sum(case when gap <= 60 * cast($short_minutes as int) then gap else 0 end) as seconds_short,
    count(case when gap <= 60 * cast($long_minutes as int) then null else 1 end) as sessions_long,
    sum(case when gap <= 60 * cast($long_minutes as int) then gap else 0 end) as seconds_long
  from gaps
  group by learner_key, course_key
),
by_course as (
  select course_key, count(*) as learners, sum(b.sessions_short) as sessions_short, sum(b.seconds_short) as seconds_short,
    sum(b.sessions_long) as sessions_long, sum(b.seconds_long) as seconds_long, median(b.seconds_long) as median_seconds
  from by_learner b
  group by course_key
)
-- 0.5000001: the last digits of a sum of doubles depend on the order of adding, and halves are to be rounded up all the same.
select c.course_id, coalesce(c.course_title, c.course_id) as course_title, b.learners, cast(b.sessions_short as bigint) as sessions_short,
  floor(cast(b.seconds_short as double) / 36 + 0.5000001) / 100 as hours_short, cast(b.sessions_long as bigint) as sessions_long,
  floor(cast(b.seconds_long as double) / 36 + 0.5000001) / 100 as hours_long,
  floor(cast(b.median_seconds as double) / 6 + 0.5000001) / 10 as median_minutes
from by_course b
join course c on c.course_key = b.course_key
order by hours_long desc nulls last, course_id nulls last
