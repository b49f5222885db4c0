-- title: Events as JSON: {"id": "e1", "time": "12.01.2026 08:13", "user": {"no": 1000013}, "course": "ST-101", "action": "quiz", "points": 7}
-- entity: learning_event
-- columns: id, time text, who = $.user.no, course, action, points = $.points number
-- personal: who(learner)
select id as event_id, who as learner_id, course as course_id,
  try_strptime(time, '%d.%m.%Y %H:%M') as occurred_at,
  case action when 'quiz' then 'submitted' when 'page' then 'viewed' else action end as event_type,
  try_cast(points as double) / 10 as score
from source
