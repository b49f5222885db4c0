-- title: Days of courses whose aggregate a batch must recompute
-- grain: a (course, day)
-- definition: days of the batch's events and the days before them (a gap that begins there may end at one of them), and
--   days on which a touched pair enrolled, withdrew or completed; read before
--   and after the facts change, since a change can leave a day as well as reach one
-- materialise: temporary
select course_key, date_key  -- brought by learning_event
from batch_event
union
select course_key, lpa_date_key(lpa_add_days(lpa_date(date_key), -1)) as date_key  -- brought by learning_event
from batch_event
union
select e.course_key, e.enrolled_date_key as date_key  -- brought by touched_pair
from fact_enrollment e
join touched_pair t on t.learner_key = e.learner_key and t.course_key = e.course_key
union
select e.course_key, e.withdrawn_date_key as date_key  -- brought by touched_pair
from fact_enrollment e
join touched_pair t on t.learner_key = e.learner_key and t.course_key = e.course_key
where e.withdrawn_date_key is not null
union
select c.course_key, c.completed_date_key as date_key  -- brought by touched_pair
from fact_course_completion c
join touched_pair t on t.learner_key = c.learner_key and t.course_key = c.course_key
