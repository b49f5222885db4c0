-- title: An enrollment with status completed has a completion
-- severity: warning
-- definition: The roster says completed, but no completion of the pair was loaded: it counts in no completion report.
select e.source, e.course_key, count(*) as rows_found
from fact_enrollment e
where e.status = 'completed'
  and not exists (select 1 from fact_course_completion f where f.learner_key = e.learner_key and f.course_key = e.course_key)
group by e.source, e.course_key
