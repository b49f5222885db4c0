-- title: Rows of each load by entity, as they are staged after some of them went
update meta.load_entities
set "ROWS" = s.staged
from (
  select e.load_id, e.entity, count(t.load_id) as staged
  from meta.load_entities e
  join meta.loads l on l.load_id = e.load_id and l.superseded_by is null
  left join (
    select load_id, 'learner' as entity from staging.stg_learner
    union all
    select load_id, 'course' from staging.stg_course
    union all
    select load_id, 'course_category' from staging.stg_course_category
    union all
    select load_id, 'instructor' from staging.stg_instructor
    union all
    select load_id, 'enrollment' from staging.stg_enrollment
    union all
    select load_id, 'learning_event' from staging.stg_learning_event
    union all
    select load_id, 'course_completion' from staging.stg_course_completion
    union all
    select load_id, entity from staging.stg_deletion
  ) t on t.load_id = e.load_id and t.entity = e.entity
  group by e.load_id, e.entity
) s
where s.load_id = load_entities.load_id and s.entity = load_entities.entity and s.staged <> load_entities."ROWS"
