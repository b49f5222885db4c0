select {{ instructor('instructor_id') }} as instructor_id, display_name, department
from {{ csv('instructors') }}
