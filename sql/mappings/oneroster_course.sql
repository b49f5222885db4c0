-- title: OneRoster courses.csv: the courses of which classes are held, as categories
-- entity: course_category
-- recognise: sourcedId, title, courseCode, orgSourcedId
-- columns: sourcedId, status, dateLastModified, title
-- export: by manifest.csv file.courses (bulk = snapshot, delta = delta)
select source_row, sourcedId as category_id, title as category_name,
  coalesce(nullif(dateLastModified, ''), '1900-01-01') as effective_at,
  coalesce(status, '') = 'tobedeleted' as deleted
from source
