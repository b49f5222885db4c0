-- title: The categories are a tree
-- severity: error
-- definition: A root has level 1; every other category has a parent that exists, one level above, and its path begins
--   with the parent's.
select k.category_key, k.parent_category_key, k.level, k.path
from dim_course_category k
left join dim_course_category p on p.category_key = k.parent_category_key
where (k.parent_category_key is null and k.level <> 1)
  or (k.parent_category_key is not null
    and (p.category_key is null or k.level <> p.level + 1 or k.path not like p.path || '/%'))
