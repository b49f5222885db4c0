-- title: Courses
-- grain: a version of a course (type 2), half-open in time: the first starts at 0001-01-01, the current ends at 9999-12-31
-- definition: a new version starts where a tracked column changes; attributes is the latest in all versions (type 1),
--   with deleted = true where no state is newer than a deletion; a course that only facts speak of is inferred
-- materialise: incremental key(course_key) window(touched_course)
with observed as (
  select course_key, course_id, attributes, course_title, category_key, instructor_key, language, difficulty, duration_hours, starts_on, ends_on, published_on,
    content_hash, effective_at
  from staging.stg_course
  where course_key in (select course_key from touched_course)  -- incremental
  qualify row_number() over (partition by course_key, effective_at order by load_id desc nulls last, position desc nulls last) = 1
),
changed as (
  select course_key, course_id, course_title, category_key, instructor_key, language, difficulty, duration_hours, starts_on, ends_on, published_on, effective_at
  from observed
  qualify content_hash is distinct from lag(content_hash) over (partition by course_key order by effective_at nulls last)
),
latest as (
  select course_key, attributes
  from observed
  qualify row_number() over (partition by course_key order by effective_at desc nulls last) = 1
),
live as (
  select distinct course_key from staging.live_course
  where course_key in (select course_key from touched_course)  -- incremental
),
described as (
  select l.course_key, case
      when v.course_key is not null then cast(l.attributes as string)
      when replace(cast(l.attributes as string), ' ', '') like '{"%' and replace(cast(l.attributes as string), ' ', '') not like '%"deleted":%'
        then '{"deleted":true,' || ltrim(substr(ltrim(cast(l.attributes as string)), 2))
      else '{"deleted":true}'
    end as attributes
  from latest l
  left join live v on v.course_key = l.course_key
),
mentioned as (
  select course_key, course_id from staging.stg_enrollment
  where load_id in (select load_id from batch_load) and course_key in (select course_key from touched_course)  -- incremental
  union all select course_key, course_id from staging.stg_course_completion
  where load_id in (select load_id from batch_load) and course_key in (select course_key from touched_course)  -- incremental
  union all select course_key, course_id from staging.stg_learning_event where course_key <> 0
  and load_id in (select load_id from batch_load) and course_key in (select course_key from touched_course)  -- incremental
),
inferred as (
  select course_key, min(course_id) as course_id
  from mentioned m
  where not exists (select 1 from observed o where o.course_key = m.course_key)
  group by course_key
)
select c.course_key, c.course_id, c.course_title, coalesce(c.category_key, 0) as category_key, coalesce(c.instructor_key, 0) as instructor_key, c.language, c.difficulty, c.duration_hours, c.starts_on, c.ends_on, c.published_on,
  lpa_variant(l.attributes) as attributes,
  case when lag(c.effective_at) over (partition by c.course_key order by c.effective_at nulls last) is null
    then timestamp '0001-01-01 00:00:00' else c.effective_at end as valid_from,
  coalesce(lead(c.effective_at) over (partition by c.course_key order by c.effective_at nulls last), timestamp '9999-12-31 00:00:00') as valid_to,
  lead(c.effective_at) over (partition by c.course_key order by c.effective_at nulls last) is null as is_current
from changed c
join described l on l.course_key = c.course_key
union all
select course_key, course_id, cast(null as string), 0, 0, cast(null as string), cast(null as string), cast(null as decimal(9, 2)), cast(null as date), cast(null as date), cast(null as date),
  lpa_variant('{"inferred":true}'), timestamp '0001-01-01 00:00:00', timestamp '9999-12-31 00:00:00', true
from inferred
union all
select 0, cast(null as string), cast(null as string), 0, 0, cast(null as string), cast(null as string), cast(null as decimal(9, 2)), cast(null as date), cast(null as date), cast(null as date),
  lpa_variant('{"none":true}'), timestamp '0001-01-01 00:00:00', timestamp '9999-12-31 00:00:00', true
where 0 in (select course_key from touched_course)  -- incremental
