select * exclude (learner_id, course_id) from {{ ref('stg_learning_event') }}
order by date_key, course_key
