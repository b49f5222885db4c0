-- title: Instructors of courses
-- grain: a course's instructor, by the course's latest state
-- definition: staging lists a course's instructor keys with the lead first; at most 20
-- materialise: table
with latest as (
  select course_key, instructor_keys
  from staging.stg_course
  qualify row_number() over (partition by course_key order by effective_at desc nulls last, load_id desc nulls last, position desc nulls last) = 1
),
places as (
  select n from (values (1), (2), (3), (4), (5), (6), (7), (8), (9), (10),
    (11), (12), (13), (14), (15), (16), (17), (18), (19), (20)) as t(n)
),
listed as (
  select l.course_key, split_part(l.instructor_keys, ',', p.n) as key_text, p.n
  from latest l
  cross join places p
  where l.instructor_keys is not null
)
select course_key, cast(key_text as bigint) as instructor_key, n = 1 as is_lead
from listed
where key_text <> ''
