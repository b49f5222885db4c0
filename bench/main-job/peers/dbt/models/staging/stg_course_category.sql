select category_id, {{ id_key('category', 'category_id') }} as category_key, category_name, {{ id_key('category', 'parent_category_id') }} as parent_category_key
from {{ csv('categories') }}
