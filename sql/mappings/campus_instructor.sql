-- title: Campus instructors (instructors.csv)
-- entity: instructor
-- recognise: instructor_id, display_name
-- columns: instructor_id, display_name, department
-- personal: instructor_id(instructor)
-- not-personal: display_name
-- export: snapshot
--
-- The name stays readable and is masked by policy: people look for their teacher's courses by it.
select instructor_id, display_name, department
from source
