select *, timestamp '0001-01-01' as valid_from, timestamp '9999-12-31' as valid_to, true as is_current
from {{ ref('stg_learner') }}
where learner_key is not null
qualify row_number() over (partition by learner_key order by effective_at desc) = 1
