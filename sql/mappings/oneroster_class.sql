-- title: OneRoster classes.csv: courses
-- entity: course
-- recognise: sourcedId, title, courseSourcedId, schoolSourcedId, termSourcedIds
-- columns: sourcedId, status, dateLastModified, title, courseSourcedId, classCode, subjects
-- export: by manifest.csv file.classes (bulk = snapshot, delta = delta)
--
-- People are enrolled in classes: they are the courses here, and the courses of OneRoster are their categories.
select source_row, sourcedId as course_id, title as course_title, courseSourcedId as category_id,
  classCode as "attributes.code", subjects as "attributes.subjects",
  coalesce(nullif(dateLastModified, ''), '1900-01-01') as effective_at,
  coalesce(status, '') = 'tobedeleted' as deleted
from source
