select * from {{ ref('stg_course_category') }}
