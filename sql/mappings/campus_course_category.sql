-- title: Campus course categories (categories.csv)
-- entity: course_category
-- recognise: category_id, category_name
-- columns: category_id, category_name, parent_category_id
-- export: snapshot
select category_id, category_name, parent_category_id
from source
