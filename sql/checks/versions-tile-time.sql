-- title: The versions of a course or learner follow each other without gap or overlap
-- severity: error
-- definition: Half-open: the first version starts at 0001-01-01, each next one where the one before ends, and only the
--   last, which ends at 9999-12-31, is current.
with versions as (
  select 'dim_course' as table_name, course_key as entity_key, valid_from, valid_to, is_current,
    lag(valid_to) over (partition by course_key order by valid_from nulls last, valid_to nulls last) as previous_to,
    lead(valid_from) over (partition by course_key order by valid_from nulls last, valid_to nulls last) as next_from
  from dim_course
  union all
  select 'dim_learner', learner_key, valid_from, valid_to, is_current,
    lag(valid_to) over (partition by learner_key order by valid_from nulls last, valid_to nulls last),
    lead(valid_from) over (partition by learner_key order by valid_from nulls last, valid_to nulls last)
  from dim_learner
)
select table_name, entity_key, valid_from, valid_to, is_current
from versions
where valid_from >= valid_to
  or valid_from <> coalesce(previous_to, timestamp '0001-01-01 00:00:00')
  or valid_to <> coalesce(next_from, timestamp '9999-12-31 00:00:00')
  or is_current <> (next_from is null)
