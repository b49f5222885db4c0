-- title: Campus completions (completions.csv)
-- entity: course_completion
-- recognise: learner_id, course_id, completed_at
-- columns: learner_id, course_id, completed_at, final_score, grade, passed
-- personal: learner_id(learner)
-- export: append
select
  learner_id,
  course_id,
  completed_at,
  final_score,
  grade,
  passed,
  completed_at as effective_at
from source
