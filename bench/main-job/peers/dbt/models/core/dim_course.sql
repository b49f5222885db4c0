select *, timestamp '0001-01-01' as valid_from, timestamp '9999-12-31' as valid_to, true as is_current
from {{ ref('stg_course') }}
qualify row_number() over (partition by course_key order by updated_at desc) = 1
