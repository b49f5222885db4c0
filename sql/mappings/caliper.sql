-- title: Caliper events (1.0, 1.1, 1.2: envelopes, and events one by one)
-- entity: learning_event
-- recognise: $.actor, $.action, $.object, $.eventTime
-- records: $.data
-- columns: id, kind = $.type | $."@type", action, occurred = $.eventTime
-- columns: actor = $.actor.id | $.actor."@id" | $.actor, actor_kind = $.actor.type | $.actor."@type"
-- columns: assignee = $.object.assignee.id | $.object.assignee | $.object.actor."@id" | $.object.actor
-- columns: attempt_assignee = $.generated.attempt.assignee.id | $.generated.attempt.assignee
-- columns: object_id = $.object.id | $.object."@id" | $.object, object_kind = $.object.type | $.object."@type"
-- columns: assignable = $.object.assignable.id | $.object.assignable."@id" | $.object.assignable
-- columns: assignable_kind = $.object.assignable.type | $.object.assignable."@type"
-- columns: group_id = $.group.id | $.group."@id" | $.group, group_kind = $.group.type | $.group."@type"
-- columns: parent = $.group.subOrganizationOf.id | $.group.subOrganizationOf."@id" | $.group.subOrganizationOf
-- columns: parent_kind = $.group.subOrganizationOf.type | $.group.subOrganizationOf."@type"
-- columns: grandparent = $.group.subOrganizationOf.subOrganizationOf.id | $.group.subOrganizationOf.subOrganizationOf."@id" | $.group.subOrganizationOf.subOrganizationOf
-- columns: session = $.session.id | $.session, federated_session = $.federatedSession.id | $.federatedSession."@id" | $.federatedSession
-- columns: object_duration = $.object.duration, generated_duration = $.generated.duration
-- columns: given = $.generated.scoreGiven | $.generated.resultScore | $.generated.totalScore | $.generated.normalScore number
-- columns: highest = $.generated.maxScore | $.generated.maxResultScore | $.object.assignable.maxScore number
-- personal: actor(learner), assignee(learner), attempt_assignee(learner), id(drop if action = "")
-- personal: object_id(drop if kind = GradeEvent | OutcomeEvent | "http://purl.imsglobal.org/caliper/v1/OutcomeEvent")
-- personal: object_id(drop if object_kind = Person | Attempt | Response | Result | Score | Membership | Session | LtiSession)
-- personal: object_id(drop if object_kind = "http://purl.imsglobal.org/caliper/v1/lis/Person" | "http://purl.imsglobal.org/caliper/v1/Attempt")
-- export: append
--
-- After https://www.imsglobal.org/spec/caliper/v1p2 and v1p1; of 1.0 its JSON-LD: @id, @type, IRIs for terms. An entity
-- may stand as its IRI alone. The addresses of attempts and results hold the learner's id: the assignable stands for them.
-- An envelope may hold entities too, which are no events and
-- have no action, and events of programs.
with terms as (
  select *, regexp_extract(kind, '[^/#]+$') as kind_term, regexp_extract(action, '[^/#]+$') as term,
    regexp_extract(case when assignable is null then object_kind else assignable_kind end, '[^/#]+$') as object_term,
    regexp_extract(group_kind, '[^/#]+$') as group_term, regexp_extract(parent_kind, '[^/#]+$') as parent_term,
    case when regexp_extract(object_kind, '[^/#]+$') in ('Attempt', 'Session') then object_duration else generated_duration end as duration
  from source
),
events as (
  select *, kind_term in ('GradeEvent', 'OutcomeEvent') as is_grade,
    try_cast(given as double) / nullif(try_cast(highest as double), 0) as share
  from terms
  where action is not null or occurred is not null or kind_term like '%Event'
)
select source_row, regexp_replace(id, '^urn:uuid:', '') as event_id,
  -- Who grades is no learner, but a teacher or a program.
  case when is_grade then coalesce(assignee, attempt_assignee) else actor end as learner_id,
  -- Of a section the offering, of a group inside it that of its section.
  case
    when group_term = 'CourseSection' then coalesce(case when coalesce(parent_term, 'CourseOffering') = 'CourseOffering' then parent end, group_id)
    when group_term = 'Group' and parent_term = 'CourseSection' then coalesce(grandparent, parent)
    when group_term = 'Group' then coalesce(parent, group_id)
    else group_id
  end as course_id,
  occurred as occurred_at,
  case
    when is_grade then 'scored'
    when kind_term = 'MediaEvent' and term in ('Started', 'Resumed', 'Restarted') then 'played'
    when term in ('NavigatedTo', 'Viewed') then 'viewed'
    when term = 'Started' then 'attempted'
    when term = 'Submitted' then 'submitted'
    when kind_term = 'AssessmentItemEvent' and term = 'Completed' then 'answered'
    when term in ('Completed', 'Ended') then 'completed'
    when term = 'Paused' then 'paused'
    when term in ('ForwardedTo', 'JumpedTo') then 'seeked'
    when term in ('Posted', 'Commented') then 'commented'
    when term = 'Downloaded' then 'downloaded'
    when term = 'Searched' then 'searched'
    when term = 'Launched' then 'launched'
    when term = 'LoggedIn' then 'logged_in'
    when term in ('LoggedOut', 'TimedOut') then 'logged_out'
    else term
  end as event_type,
  coalesce(assignable, object_id) as activity_id,
  case when object_term in ('CourseOffering', 'CourseSection') then 'course' else object_term end as activity_type,
  coalesce(session, federated_session) as session_id,
  case when regexp_full_match(duration, 'P(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?') then
    86400 * coalesce(try_cast(regexp_extract(duration, '(\d+)D', 1) as double), 0)
    + 3600 * coalesce(try_cast(regexp_extract(duration, '(\d+)H', 1) as double), 0)
    + 60 * coalesce(try_cast(regexp_extract(duration, 'T.*?(\d+)M', 1) as double), 0)
    + coalesce(try_cast(regexp_extract(duration, '([\d.]+)S', 1) as double), 0)
  end as duration_seconds,
  -- Extra credit is more than all: scores here go from 0 to 1.
  case when share > 1 then 1 else share end as score
from events
where is_grade or coalesce(regexp_extract(actor_kind, '[^/#]+$'), '') <> 'SoftwareApplication'
