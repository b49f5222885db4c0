select {{ payload() }} as payload
from {{ ref('events_read') }}
where {{ fault() }} is null
