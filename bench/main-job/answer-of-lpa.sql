-- The same of lpa's warehouse, where a learner or a course may have several versions and key 0 is none.
with pairs as (
  select distinct learner_key, course_key from fact_enrollment
),
ranking as (
  select c.course_id, count(*) as learners, count(f.completed_at) as completed
  from pairs p
  left join fact_course_completion f on f.learner_key = p.learner_key and f.course_key = p.course_key
  join course c on c.course_key = p.course_key
  group by c.course_id
  having count(*) >= 5
  order by cast(count(f.completed_at) as double) / count(*) desc, c.course_id
  limit 10
)
select cast(json_object(
  'learners', (select count(*) from learner where learner_key <> 0),
  'courses', (select count(*) from course where course_key <> 0),
  'enrollments', (select count(*) from fact_enrollment),
  'completions', (select count(*) from fact_course_completion),
  'events', (select count(*) from fact_learning_event),
  'rejected', (select sum(l.records_rejected) from meta.loads l join meta.load_entities e on e.load_id = l.load_id where e.entity = 'learning_event'),
  'ranking', (select json_group_array(json_array(course_id, learners, completed)) from ranking)
) as varchar) as answer
