select event_id, {{ fault() }} as reason, case when ok then {{ payload() }} end as payload
from {{ ref('events_read') }}
where {{ fault() }} is not null
