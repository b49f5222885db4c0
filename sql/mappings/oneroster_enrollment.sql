-- title: OneRoster enrollments.csv: enrollments of students
-- entity: enrollment
-- recognise: sourcedId, classSourcedId, schoolSourcedId, userSourcedId, role
-- columns: sourcedId, status, dateLastModified, classSourcedId, userSourcedId, role, beginDate, endDate
-- personal: userSourcedId(learner), sourcedId(learner)
-- export: by manifest.csv file.enrollments (bulk = snapshot, delta = delta)
--
-- Many systems make an enrollment's id of its learner's. A class has an end too: only an enrollment that
-- had ended when it was last changed was left before it.
with enrollments as (
  select *, coalesce(status, '') = 'tobedeleted' as deleted,
    coalesce(try_cast(endDate as date) <= cast(try_cast(dateLastModified as timestamptz) as date), false) as is_over
  from source
  where coalesce(nullif(role, ''), 'student') = 'student' or status = 'tobedeleted'
)
select source_row, sourcedId as enrollment_id, userSourcedId as learner_id, classSourcedId as course_id,
  beginDate as enrolled_at,
  case when is_over then 'withdrawn' else 'active' end as status,
  case when is_over then endDate end as withdrawn_at,
  coalesce(nullif(dateLastModified, ''), '1900-01-01') as effective_at,
  deleted
from enrollments
