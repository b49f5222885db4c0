-- title: Categories hang where their exports put them
-- severity: warning
-- definition: A category that names a parent has it. One whose parent has not arrived, or that is its own ancestor, stands
--   as a root until its exports are mended.
with latest as (
  select category_key, category_id, parent_category_id, parent_category_key
  from staging.live_course_category
  qualify row_number() over (partition by category_key order by effective_at desc nulls last, load_id desc nulls last, position desc nulls last) = 1
)
select l.category_id, l.parent_category_id,
  case when p.category_key is null then 'its parent has not arrived' else 'it is its own ancestor' end as why
from latest l
join dim_course_category k on k.category_key = l.category_key
left join latest p on p.category_key = l.parent_category_key
where l.parent_category_key is not null and k.parent_category_key is null
