-- title: Learners at risk
-- grain: a learner in a course
-- definition: Enrolled (latest attempt not withdrawn), not passed, and no event in the course for the given days up
--   to the newest day of events (of all data while there are no events); registered and unregistered are no activity,
--   and silence is counted from the enrollment when that is later. Passed: any completion or passed event of the
--   course says so, or it is completed and nothing says failed; a failure before the latest attempt does not count
--   against an attempt that the roster calls completed. never_started: no event at all. The reason is given in words.
-- chart: count x=course_id y=learners
-- cells: learners
-- table: course_id, learner_id, days_silent, reason
-- narrows: category, country, since, until
-- param: days integer 7 "no event for this many days"
-- setting: days = metrics.at_risk_days
-- param: course text null "a course_id; all courses when not given"
-- param: category text null "a category_id, or a path and all below it; all when not given"
-- param: country text null "of learners of this country; of all when not given"
-- param: since date null "whose latest attempt began on this day or later"
-- param: until date null "whose latest attempt began on this day or earlier"
-- param: most integer null "the longest silent so many; all when not given"
with newest as (
  select coalesce(v.date_key, n.date_key) as date_key
  from (select max(date_key) as date_key from fact_learning_event) v
  cross join newest_day n
),
enrolled as (
  select e.learner_key, e.course_key, e.enrolled_date_key, e.status
  from fact_enrollment e
  qualify row_number() over (partition by e.learner_key, e.course_key
    order by e.attempt desc nulls last, e.enrolled_at desc nulls last, e.enrollment_id desc nulls last) = 1
),
seen as (
  select learner_key, course_key, max(date_key) as date_key, count(*) as events
  from fact_learning_event
  where course_key <> 0 and event_type not in ('registered', 'unregistered')
  group by learner_key, course_key
),
-- Every completion that was reported, each as it was reported last: the fact holds the first only.
completions as (
  select learner_key, course_key, completed_date_key, passed
  from staging.live_course_completion
  qualify row_number() over (partition by learner_key, course_key, completed_at
    order by effective_at desc nulls last, load_id desc nulls last, position desc nulls last) = 1
),
results as (
  select learner_key, course_key, max(case when passed then 1 else 0 end) as has_passed,
    max(case when not passed then completed_date_key end) as failed_date_key
  from (
    select learner_key, course_key, completed_date_key, passed from completions
    union all
    select learner_key, course_key, date_key, case when event_type = 'passed' then true end
    from fact_learning_event
    where event_type in ('completed', 'passed') and activity_type = 'course' and course_key <> 0
  ) t
  group by learner_key, course_key
),
waiting as (
  select e.learner_key, e.course_key, e.enrolled_date_key, s.date_key as seen_date_key, coalesce(s.events, 0) as events,
    case when s.date_key > e.enrolled_date_key then s.date_key else e.enrolled_date_key end as since_date_key,
    case when r.failed_date_key is not null then 1 else 0 end as failed
  from enrolled e
  left join seen s on s.learner_key = e.learner_key and s.course_key = e.course_key
  left join results r on r.learner_key = e.learner_key and r.course_key = e.course_key
  where e.status <> 'withdrawn' and coalesce(r.has_passed, 0) = 0 and (r.course_key is null or r.failed_date_key is not null)
    and (e.status <> 'completed' or r.failed_date_key >= e.enrolled_date_key)
),
silent as (
  select w.learner_key, w.course_key, w.events, w.failed, x.full_date as enrolled_on, v.full_date as last_event_on,
    n.full_date as newest_on, lpa_days(d.full_date, n.full_date) as days_silent
  from waiting w
  join dim_date d on d.date_key = w.since_date_key
  join dim_date x on x.date_key = w.enrolled_date_key
  left join dim_date v on v.date_key = w.seen_date_key
  cross join newest t
  join dim_date n on n.date_key = t.date_key
),
listed as (
  select c.course_id, case when s.last_event_on is null then 'never_started' else 'silent' end as class, s.days_silent,
    s.enrolled_on, s.last_event_on, s.events,
    substr(case when s.last_event_on is null then '; never started, enrolled ' || cast(s.enrolled_on as string) else '' end
      || case when s.last_event_on is not null then '; no event since ' || cast(s.last_event_on as string) else '' end
      || case when s.last_event_on < s.enrolled_on then '; enrolled again ' || cast(s.enrolled_on as string) else '' end
      || case when s.failed = 1 then '; finished without passing' else '' end
      || case when c.ends_on < s.newest_on then '; the course ended ' || cast(c.ends_on as string) else '' end, 3) as reason,
    l.learner_id
  from silent s
  join course c on c.course_key = s.course_key
  left join dim_course_category k on k.category_key = c.category_key
  join learner l on l.learner_key = s.learner_key
  where s.days_silent >= cast($days as int)
    and (cast($course as string) is null or c.course_id = cast($course as string))
    and (cast($category as string) is null or k.category_id = cast($category as string) or k.path = cast($category as string)
      or lpa_starts_with(k.path, cast($category as string) || '/'))
    and (cast($country as string) is null or l.country = cast($country as string))
    and (cast($since as date) is null or s.enrolled_on >= cast($since as date))
    and (cast($until as date) is null or s.enrolled_on <= cast($until as date))
),
placed as (
  select course_id, class, days_silent, enrolled_on, last_event_on, events, reason, learner_id,
    row_number() over (order by days_silent desc nulls last, course_id nulls last, learner_id nulls last) as place
  from listed
)
select course_id, class, days_silent, enrolled_on, last_event_on, events, reason, learner_id
from placed
where cast($most as int) is null or place <= cast($most as int)
order by place nulls last
