-- title: Enrollments of which any state belongs to a pair that a batch must recompute
-- grain: an enrollment
-- materialise: temporary
select distinct s.enrollment_id
from staging.stg_enrollment s
join touched_pair t on t.learner_key = s.learner_key and t.course_key = s.course_key
