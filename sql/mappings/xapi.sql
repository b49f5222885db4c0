-- title: xAPI statements (1.0.3 and 2.0, also of cmi5 and the video profile)
-- entity: learning_event
-- recognise: $.actor, $.verb.id, $.object
-- records: $.statements (if first)
-- columns: id, verb = $.verb.id, occurred = $.timestamp, stored, registration = $.context.registration
-- columns: account_name = $.actor.account.name, home_page = $.actor.account.homePage
-- columns: actor_kind = $.actor.objectType, mbox = $.actor.mbox, mbox_sha1sum = $.actor.mbox_sha1sum, openid = $.actor.openid
-- columns: object_id = $.object.id, object_kind = $.object.objectType, object_type = $.object.definition.type
-- columns: parent = $.context.contextActivities.parent json, grouping = $.context.contextActivities.grouping json
-- columns: session = $.context.extensions."https://w3id.org/xapi/video/extensions/session-id"
-- columns: scaled = $.result.score.scaled number, raw = $.result.score.raw number, lowest = $.result.score.min number, highest = $.result.score.max number
-- columns: duration = $.result.duration, success = $.result.success json, completion = $.result.completion json
-- columns: watched = $.result.extensions."https://w3id.org/xapi/video/extensions/progress" number
-- columns: progress = $.result.extensions."https://w3id.org/xapi/cmi5/result/extensions/progress" number
-- personal: account_name(learner @ home_page), mbox(email), mbox_sha1sum(learner), openid(learner)
-- not-personal: home_page
-- export: append
--
-- After IEEE 9274.1.1 (xAPI 2.0), xAPI 1.0.3 and cmi5. Whom a context names beside the actor is not read; a group is no learner.
with statements as (
  select *, regexp_extract(verb, '[^/]+$') as verb_name,
    coalesce(json_transform(parent, '[{"id": "VARCHAR", "definition": {"type": "VARCHAR"}}]'),
      [json_transform(parent, '{"id": "VARCHAR", "definition": {"type": "VARCHAR"}}')]) as parents,
    coalesce(json_transform("grouping", '[{"id": "VARCHAR", "definition": {"type": "VARCHAR"}}]'),
      [json_transform("grouping", '{"id": "VARCHAR", "definition": {"type": "VARCHAR"}}')]) as groupings
  from source
)
-- What voids a statement takes it back, whichever comes first, and counts nowhere itself.
select source_row, coalesce(verb_name, '') = 'voided' as deleted,
  case when verb_name = 'voided' then object_id else id end as event_id,
  coalesce(account_name, mbox, mbox_sha1sum, openid) as learner_id,
  coalesce(
    list_filter(parents, lambda a: a.definition.type like '%/course')[1].id,
    list_filter(groupings, lambda a: a.definition.type like '%/course')[1].id,
    case when object_type like '%/course' then object_id end) as course_id,
  coalesce(occurred, stored) as occurred_at,
  case verb_name
    when 'initialized' then 'launched'
    when 'experienced' then 'viewed'
    when 'interacted' then 'answered'
    when 'navigated' then 'viewed'
    when 'posted' then 'commented'
    when 'satisfied' then 'completed'
    when 'submit' then 'submitted'
    when 'logged-in' then 'logged_in'
    when 'logged-out' then 'logged_out'
    else verb_name
  end as event_type,
  object_id as activity_id,
  regexp_extract(object_type, '[^/]+$') as activity_type,
  coalesce(session, registration) as session_id,
  case when regexp_full_match(duration, 'P(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?') then
    86400 * coalesce(try_cast(regexp_extract(duration, '(\d+)D', 1) as double), 0)
    + 3600 * coalesce(try_cast(regexp_extract(duration, '(\d+)H', 1) as double), 0)
    + 60 * coalesce(try_cast(regexp_extract(duration, 'T.*?(\d+)M', 1) as double), 0)
    + coalesce(try_cast(regexp_extract(duration, '([\d.]+)S', 1) as double), 0)
  end as duration_seconds,
  -- scaled may be negative; scores here go from 0 to 1
  case when scaled is not null then greatest(0, try_cast(scaled as double)) else
    (try_cast(raw as double) - coalesce(try_cast(lowest as double), 0))
      / nullif(try_cast(highest as double) - coalesce(try_cast(lowest as double), 0), 0) end as score,
  coalesce(try_cast(watched as double), try_cast(progress as double) / 100) as progress,
  success as "attributes.success",
  completion as "attributes.completion"
from statements
where verb_name = 'voided' or coalesce(actor_kind, '') <> 'Group'
