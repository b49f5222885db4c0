-- title: What raw kept of a load
-- grain: a record
select position, lpa_json(payload) as payload
from raw.raw_learning_events
where load_id = $load_id
order by position
