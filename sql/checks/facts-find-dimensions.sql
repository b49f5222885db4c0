-- title: Every fact finds its learner, course and day
-- severity: error
-- definition: Together with versions-tile-time: exactly one version of each. Key 0 is the row "none".
with learner_keys as (
  select 'fact_learning_event' as table_name, v.learner_key as missing_key
  from fact_learning_event v
  where not exists (select 1 from learner l where l.learner_key = v.learner_key)
  union all
  select 'fact_enrollment', e.learner_key
  from fact_enrollment e
  where not exists (select 1 from learner l where l.learner_key = e.learner_key)
  union all
  select 'fact_course_completion', f.learner_key
  from fact_course_completion f
  where not exists (select 1 from learner l where l.learner_key = f.learner_key)
),
course_keys as (
  select t.table_name, t.course_key as missing_key
  from (
    select distinct 'fact_learning_event' as table_name, course_key from fact_learning_event
    union all
    select distinct 'fact_enrollment', course_key from fact_enrollment
    union all
    select distinct 'fact_course_completion', course_key from fact_course_completion
    union all
    select distinct 'agg_course_day', course_key from agg_course_day
  ) t
  where not exists (select 1 from course c where c.course_key = t.course_key)
),
date_keys as (
  select t.table_name, t.date_key as missing_key
  from (
    select distinct 'fact_learning_event' as table_name, date_key from fact_learning_event
    union all
    select distinct 'fact_enrollment', enrolled_date_key from fact_enrollment
    union all
    select distinct 'fact_enrollment', withdrawn_date_key from fact_enrollment where withdrawn_date_key is not null
    union all
    select distinct 'fact_course_completion', completed_date_key from fact_course_completion
    union all
    select distinct 'agg_course_day', date_key from agg_course_day
  ) t
  where not exists (select 1 from dim_date d where d.date_key = t.date_key)
)
select distinct table_name, 'learner' as dimension, missing_key from learner_keys
union all
select table_name, 'course', missing_key from course_keys
union all
select table_name, 'date', missing_key from date_keys
