-- title: OneRoster users.csv: learners
-- entity: learner
-- recognise: sourcedId, enabledUser, username, givenName, familyName
-- columns: sourcedId, status, dateLastModified, role, email, grades
-- personal: sourcedId(learner), email(email)
-- export: by manifest.csv file.users (bulk = snapshot, delta = delta)
--
-- After OneRoster CSV 1.1 and 1.2; of 1.2 roles.csv has the roles, so that everybody is in it. The manifest tells whether a
-- file is everything or what changed. What has no time of its own is older than any change.
select source_row, sourcedId as learner_id, email as email_hash, grades as "attributes.grades",
  coalesce(nullif(dateLastModified, ''), '1900-01-01') as effective_at,
  coalesce(status, '') = 'tobedeleted' as deleted
from source
where coalesce(nullif(role, ''), 'student') = 'student'
