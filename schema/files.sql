-- Where plain files of core are read in place of a warehouse, there is no staging: what reports ask of it, as far as core tells.

-- Of a learner's results in a course, core has the first completion only.
create view staging.live_course_completion as
select c.learner_key, c.course_key, c.completed_at, c.completed_date_key, c.final_score, c.grade, c.passed,
  c.completed_at as effective_at, c.source, 0 as load_id, 0 as position
from core.fact_course_completion c;
