-- title: Instructors
-- grain: an instructor
-- definition: the latest state; one that only courses name is inferred
-- materialise: table
with latest as (
  select instructor_key, instructor_id, display_name, department
  from staging.live_instructor
  qualify row_number() over (partition by instructor_key order by effective_at desc nulls last, load_id desc nulls last, position desc nulls last) = 1
),
named as (
  select instructor_key, instructor_id, cast(null as string) as display_name from staging.stg_course where instructor_key is not null
  union all
  select instructor_key, cast(null as string), cast(null as string) from bridge_course_instructor
),
inferred as (
  select instructor_key, max(instructor_id) as instructor_id
  from named n
  where not exists (select 1 from latest l where l.instructor_key = n.instructor_key)
  group by instructor_key
)
select instructor_key, instructor_id, display_name, department from latest
union all
select instructor_key, instructor_id, cast(null as string), cast(null as string) from inferred
union all
select 0, cast(null as string), '(none)', cast(null as string)
