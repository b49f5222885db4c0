-- title: What a report's parameter "course" can name
select course_id
from course
where course_id is not null
order by course_id
