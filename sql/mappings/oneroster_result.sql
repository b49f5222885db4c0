-- title: OneRoster results.csv: what learners were graded
-- entity: learning_event
-- recognise: sourcedId, lineItemSourcedId, studentSourcedId, scoreStatus
-- columns: sourcedId, status, lineItemSourcedId, studentSourcedId, classSourcedId, scoreStatus, score, scoreDate
-- personal: studentSourcedId(learner), sourcedId(learner)
-- export: append
--
-- How many points were possible lineItems.csv tells: the score stays as it is. In 1.2 the class is told. Many systems
-- make a result's id of its learner's.
select source_row, sourcedId as event_id, studentSourcedId as learner_id, classSourcedId as course_id,
  scoreDate as occurred_at, 'scored' as event_type, lineItemSourcedId as activity_id, 'line item' as activity_type,
  try_cast(score as double) as "attributes.points", scoreStatus as "attributes.status"
from source
where coalesce(status, '') <> 'tobedeleted' and coalesce(scoreStatus, '') not in ('exempt', 'not submitted')
