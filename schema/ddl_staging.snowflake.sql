-- staging in Snowflake. Made by scripts/snowflake-ddl.ts from schema/ddl_staging.sql: change that, not this.
-- lpa schema apply runs the same statements. A DBA may run them before it, in the database of the connection: it then finds
-- nothing to make, and writes down that all is there, which runs need to begin.
-- Keys are for tools to read: Snowflake enforces none, and the checks of lpa batch do. A longer time travel is yours to set
-- (Enterprise Edition): alter table core.fact_enrollment set data_retention_time_in_days = 30. lpa leaves it as it is.

create schema if not exists staging;

-- staging: one typed table per entity, as the front end writes it. Keys and pseudonyms are computed there;
-- position is the record's number in its source, from 1. Instants are UTC, *_date_key in warehouse.timezone.
-- attributes is JSON text here, whatever core makes of it: it is written once and read once.

create transient table if not exists staging.stg_learner (
  learner_id varchar not null,
  learner_key number(38,0) not null,
  email_hash varchar,
  country varchar,
  region varchar,
  age_band varchar,
  gender varchar,
  education_level varchar,
  signed_up_on date,
  attributes varchar,
  content_hash varchar not null,
  effective_at timestamp_ntz not null,
  source varchar not null,
  load_id number(38,0) not null,
  position number(38,0) not null
)
data_retention_time_in_days = 1;

-- instructor_keys: comma-separated keys of all instructors, the lead first (null when none).
create transient table if not exists staging.stg_course (
  course_id varchar not null,
  course_key number(38,0) not null,
  course_title varchar,
  category_id varchar,
  category_key number(38,0),
  instructor_id varchar,
  instructor_key number(38,0),
  instructor_keys varchar,
  language varchar,
  difficulty varchar,
  duration_hours number(9,2),
  starts_on date,
  ends_on date,
  published_on date,
  attributes varchar,
  content_hash varchar not null,
  effective_at timestamp_ntz not null,
  source varchar not null,
  load_id number(38,0) not null,
  position number(38,0) not null
)
data_retention_time_in_days = 1;

create transient table if not exists staging.stg_course_category (
  category_id varchar not null,
  category_key number(38,0) not null,
  category_name varchar,
  parent_category_id varchar,
  parent_category_key number(38,0),
  effective_at timestamp_ntz not null,
  source varchar not null,
  load_id number(38,0) not null,
  position number(38,0) not null
)
data_retention_time_in_days = 1;

create transient table if not exists staging.stg_instructor (
  instructor_id varchar not null,
  instructor_key number(38,0) not null,
  display_name varchar,
  department varchar,
  effective_at timestamp_ntz not null,
  source varchar not null,
  load_id number(38,0) not null,
  position number(38,0) not null
)
data_retention_time_in_days = 1;

-- One row per state of an enrollment: the latest effective_at of an enrollment_id holds.
create transient table if not exists staging.stg_enrollment (
  enrollment_id varchar not null,
  learner_id varchar not null,
  learner_key number(38,0) not null,
  course_id varchar not null,
  course_key number(38,0) not null,
  enrolled_at timestamp_ntz not null,
  enrolled_date_key number(38,0) not null,
  status varchar,
  mode varchar,
  withdrawn_at timestamp_ntz,
  withdrawn_date_key number(38,0),
  price_amount number(12,2),
  price_currency varchar,
  effective_at timestamp_ntz not null,
  source varchar not null,
  load_id number(38,0) not null,
  position number(38,0) not null
)
data_retention_time_in_days = 1;

-- course_key is 0 when the event belongs to no course.
create transient table if not exists staging.stg_learning_event (
  event_id varchar not null,
  learner_id varchar not null,
  learner_key number(38,0) not null,
  course_id varchar,
  course_key number(38,0) not null,
  date_key number(38,0) not null,
  occurred_at timestamp_ntz not null,
  event_type varchar not null,
  activity_id varchar,
  activity_type varchar,
  session_id varchar,
  duration_seconds float,
  score float,
  progress float,
  quantity float not null,
  attributes varchar,
  source varchar not null,
  load_id number(38,0) not null,
  position number(38,0) not null
)
data_retention_time_in_days = 1;

create transient table if not exists staging.stg_course_completion (
  learner_id varchar not null,
  learner_key number(38,0) not null,
  course_id varchar not null,
  course_key number(38,0) not null,
  completed_at timestamp_ntz not null,
  completed_date_key number(38,0) not null,
  final_score float,
  grade varchar,
  passed boolean,
  effective_at timestamp_ntz not null,
  source varchar not null,
  load_id number(38,0) not null,
  position number(38,0) not null
)
data_retention_time_in_days = 1;

-- What delta exports say is gone: one row per deleted record, with the keys that name it. States of it that are older
-- (by effective_at, then load, then position) count no more; a newer one brings it back. An event that is taken back
-- (event_id) never counts, whatever comes first.
create transient table if not exists staging.stg_deletion (
  entity varchar not null,
  enrollment_id varchar,
  learner_key number(38,0),
  course_key number(38,0),
  category_key number(38,0),
  instructor_key number(38,0),
  effective_at timestamp_ntz not null,
  source varchar not null,
  load_id number(38,0) not null,
  position number(38,0) not null,
  event_id varchar
)
data_retention_time_in_days = 1;

-- live_*: the states that no deletion followed.
create or replace view staging.live_learner as
select s.learner_id, s.learner_key, s.email_hash, s.country, s.region, s.age_band, s.gender, s.education_level,
  s.signed_up_on, s.attributes, s.content_hash, s.effective_at, s.source, s.load_id, s.position
from staging.stg_learner s
where not exists (
  select 1 from staging.stg_deletion d
  where d.entity = 'learner' and d.learner_key = s.learner_key
    and (d.effective_at > s.effective_at or (d.effective_at = s.effective_at
      and (d.load_id > s.load_id or (d.load_id = s.load_id and d.position > s.position)))));

create or replace view staging.live_course as
select s.course_id, s.course_key, s.course_title, s.category_id, s.category_key, s.instructor_id, s.instructor_key,
  s.instructor_keys, s.language, s.difficulty, s.duration_hours, s.starts_on, s.ends_on, s.published_on,
  s.attributes, s.content_hash, s.effective_at, s.source, s.load_id, s.position
from staging.stg_course s
where not exists (
  select 1 from staging.stg_deletion d
  where d.entity = 'course' and d.course_key = s.course_key
    and (d.effective_at > s.effective_at or (d.effective_at = s.effective_at
      and (d.load_id > s.load_id or (d.load_id = s.load_id and d.position > s.position)))));

create or replace view staging.live_course_category as
select s.category_id, s.category_key, s.category_name, s.parent_category_id, s.parent_category_key, s.effective_at,
  s.source, s.load_id, s.position
from staging.stg_course_category s
where not exists (
  select 1 from staging.stg_deletion d
  where d.entity = 'course_category' and d.category_key = s.category_key
    and (d.effective_at > s.effective_at or (d.effective_at = s.effective_at
      and (d.load_id > s.load_id or (d.load_id = s.load_id and d.position > s.position)))));

create or replace view staging.live_instructor as
select s.instructor_id, s.instructor_key, s.display_name, s.department, s.effective_at, s.source, s.load_id,
  s.position
from staging.stg_instructor s
where not exists (
  select 1 from staging.stg_deletion d
  where d.entity = 'instructor' and d.instructor_key = s.instructor_key
    and (d.effective_at > s.effective_at or (d.effective_at = s.effective_at
      and (d.load_id > s.load_id or (d.load_id = s.load_id and d.position > s.position)))));

create or replace view staging.live_enrollment as
select s.enrollment_id, s.learner_id, s.learner_key, s.course_id, s.course_key, s.enrolled_at, s.enrolled_date_key,
  s.status, s.mode, s.withdrawn_at, s.withdrawn_date_key, s.price_amount, s.price_currency, s.effective_at,
  s.source, s.load_id, s.position
from staging.stg_enrollment s
where not exists (
  select 1 from staging.stg_deletion d
  where d.entity = 'enrollment' and d.enrollment_id = s.enrollment_id
    and (d.effective_at > s.effective_at or (d.effective_at = s.effective_at
      and (d.load_id > s.load_id or (d.load_id = s.load_id and d.position > s.position)))));

create or replace view staging.live_course_completion as
select s.learner_id, s.learner_key, s.course_id, s.course_key, s.completed_at, s.completed_date_key, s.final_score,
  s.grade, s.passed, s.effective_at, s.source, s.load_id, s.position
from staging.stg_course_completion s
where not exists (
  select 1 from staging.stg_deletion d
  where d.entity = 'course_completion' and d.learner_key = s.learner_key and d.course_key = s.course_key
    and (d.effective_at > s.effective_at or (d.effective_at = s.effective_at
      and (d.load_id > s.load_id or (d.load_id = s.load_id and d.position > s.position)))));
