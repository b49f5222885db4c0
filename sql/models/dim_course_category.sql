-- title: Course categories
-- grain: a category
-- definition: the latest state of each category with its place in the hierarchy; a category whose parent is unknown, or
--   that is its own ancestor, is a root; one that only courses name is inferred
-- materialise: table
with recursive latest as (
  select category_key, category_id, coalesce(category_name, category_id) as category_name, parent_category_key
  from staging.live_course_category
  qualify row_number() over (partition by category_key order by effective_at desc nulls last, load_id desc nulls last, position desc nulls last) = 1
),
tree as (
  select category_key, category_id, category_name, cast(null as bigint) as parent_category_key, 1 as level, category_name as path
  from latest l
  where not exists (select 1 from latest p where p.category_key = l.parent_category_key)
  union all
  select l.category_key, l.category_id, l.category_name, l.parent_category_key, t.level + 1, t.path || '/' || l.category_name
  from latest l
  join tree t on l.parent_category_key = t.category_key
),
unreached as (
  select category_key, category_id, category_name
  from latest l
  where not exists (select 1 from tree t where t.category_key = l.category_key)
),
inferred as (
  select category_key, min(category_id) as category_id
  from staging.stg_course c
  where category_key is not null and not exists (select 1 from latest l where l.category_key = c.category_key)
  group by category_key
)
select category_key, category_id, category_name, parent_category_key, level, path from tree
union all
select category_key, category_id, category_name, cast(null as bigint), 1, category_name from unreached
union all
select category_key, category_id, category_id, cast(null as bigint), 1, category_id from inferred
union all
select 0, cast(null as string), '(none)', cast(null as bigint), 1, '(none)'
