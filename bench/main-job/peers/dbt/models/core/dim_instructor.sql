select {{ person_key('instructor_id') }} as instructor_key, * from {{ ref('stg_instructor') }}
