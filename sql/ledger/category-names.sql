-- title: What a report's parameter "category" can name
select category_id from core.dim_course_category where category_id is not null
union all
select path from core.dim_course_category where path is not null
