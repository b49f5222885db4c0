-- staging: one typed table per entity, as the front end writes it. Keys and pseudonyms are computed there;
-- position is the record's number in its source, from 1. Instants are UTC, *_date_key in warehouse.timezone.
-- attributes is JSON text here, whatever core makes of it: it is written once and read once.

create table staging.stg_learner (
  learner_id varchar not null,
  learner_key bigint not null,
  email_hash varchar,
  country varchar,
  region varchar,
  age_band varchar,
  gender varchar,
  education_level varchar,
  signed_up_on date,
  attributes json,
  content_hash varchar not null,
  effective_at timestamp not null,
  source varchar not null,
  load_id bigint not null,
  position bigint not null
);

-- instructor_keys: comma-separated keys of all instructors, the lead first (null when none).
create table staging.stg_course (
  course_id varchar not null,
  course_key bigint not null,
  course_title varchar,
  category_id varchar,
  category_key bigint,
  instructor_id varchar,
  instructor_key bigint,
  instructor_keys varchar,
  language varchar,
  difficulty varchar,
  duration_hours decimal(9, 2),
  starts_on date,
  ends_on date,
  published_on date,
  attributes json,
  content_hash varchar not null,
  effective_at timestamp not null,
  source varchar not null,
  load_id bigint not null,
  position bigint not null
);

create table staging.stg_course_category (
  category_id varchar not null,
  category_key bigint not null,
  category_name varchar,
  parent_category_id varchar,
  parent_category_key bigint,
  effective_at timestamp not null,
  source varchar not null,
  load_id bigint not null,
  position bigint not null
);

create table staging.stg_instructor (
  instructor_id varchar not null,
  instructor_key bigint not null,
  display_name varchar,
  department varchar,
  effective_at timestamp not null,
  source varchar not null,
  load_id bigint not null,
  position bigint not null
);

-- One row per state of an enrollment: the latest effective_at of an enrollment_id holds.
create table staging.stg_enrollment (
  enrollment_id varchar not null,
  learner_id varchar not null,
  learner_key bigint not null,
  course_id varchar not null,
  course_key bigint not null,
  enrolled_at timestamp not null,
  enrolled_date_key integer not null,
  status varchar,
  mode varchar,
  withdrawn_at timestamp,
  withdrawn_date_key integer,
  price_amount decimal(12, 2),
  price_currency varchar,
  effective_at timestamp not null,
  source varchar not null,
  load_id bigint not null,
  position bigint not null
);

-- course_key is 0 when the event belongs to no course.
create table staging.stg_learning_event (
  event_id varchar not null,
  learner_id varchar not null,
  learner_key bigint not null,
  course_id varchar,
  course_key bigint not null,
  date_key integer not null,
  occurred_at timestamp not null,
  event_type varchar not null,
  activity_id varchar,
  activity_type varchar,
  session_id varchar,
  duration_seconds double,
  score double,
  progress double,
  quantity double not null,
  attributes json,
  source varchar not null,
  load_id bigint not null,
  position bigint not null
);

create table staging.stg_course_completion (
  learner_id varchar not null,
  learner_key bigint not null,
  course_id varchar not null,
  course_key bigint not null,
  completed_at timestamp not null,
  completed_date_key integer not null,
  final_score double,
  grade varchar,
  passed boolean,
  effective_at timestamp not null,
  source varchar not null,
  load_id bigint not null,
  position bigint not null
);

-- What delta exports say is gone: one row per deleted record, with the keys that name it. States of it that are older
-- (by effective_at, then load, then position) count no more; a newer one brings it back. An event that is taken back
-- (event_id) never counts, whatever comes first.
create table staging.stg_deletion (
  entity varchar not null,
  enrollment_id varchar,
  learner_key bigint,
  course_key bigint,
  category_key bigint,
  instructor_key bigint,
  effective_at timestamp not null,
  source varchar not null,
  load_id bigint not null,
  position bigint not null,
  event_id varchar
);

-- live_*: the states that no deletion followed.
create view staging.live_learner as
select s.learner_id, s.learner_key, s.email_hash, s.country, s.region, s.age_band, s.gender, s.education_level,
  s.signed_up_on, s.attributes, s.content_hash, s.effective_at, s.source, s.load_id, s.position
from staging.stg_learner s
where not exists (
  select 1 from staging.stg_deletion d
  where d.entity = 'learner' and d.learner_key = s.learner_key
    and (d.effective_at > s.effective_at or (d.effective_at = s.effective_at
      and (d.load_id > s.load_id or (d.load_id = s.load_id and d.position > s.position)))));

create view staging.live_course as
select s.course_id, s.course_key, s.course_title, s.category_id, s.category_key, s.instructor_id, s.instructor_key,
  s.instructor_keys, s.language, s.difficulty, s.duration_hours, s.starts_on, s.ends_on, s.published_on,
  s.attributes, s.content_hash, s.effective_at, s.source, s.load_id, s.position
from staging.stg_course s
where not exists (
  select 1 from staging.stg_deletion d
  where d.entity = 'course' and d.course_key = s.course_key
    and (d.effective_at > s.effective_at or (d.effective_at = s.effective_at
      and (d.load_id > s.load_id or (d.load_id = s.load_id and d.position > s.position)))));

create view staging.live_course_category as
select s.category_id, s.category_key, s.category_name, s.parent_category_id, s.parent_category_key, s.effective_at,
  s.source, s.load_id, s.position
from staging.stg_course_category s
where not exists (
  select 1 from staging.stg_deletion d
  where d.entity = 'course_category' and d.category_key = s.category_key
    and (d.effective_at > s.effective_at or (d.effective_at = s.effective_at
      and (d.load_id > s.load_id or (d.load_id = s.load_id and d.position > s.position)))));

create view staging.live_instructor as
select s.instructor_id, s.instructor_key, s.display_name, s.department, s.effective_at, s.source, s.load_id,
  s.position
from staging.stg_instructor s
where not exists (
  select 1 from staging.stg_deletion d
  where d.entity = 'instructor' and d.instructor_key = s.instructor_key
    and (d.effective_at > s.effective_at or (d.effective_at = s.effective_at
      and (d.load_id > s.load_id or (d.load_id = s.load_id and d.position > s.position)))));

create view staging.live_enrollment as
select s.enrollment_id, s.learner_id, s.learner_key, s.course_id, s.course_key, s.enrolled_at, s.enrolled_date_key,
  s.status, s.mode, s.withdrawn_at, s.withdrawn_date_key, s.price_amount, s.price_currency, s.effective_at,
  s.source, s.load_id, s.position
from staging.stg_enrollment s
where not exists (
  select 1 from staging.stg_deletion d
  where d.entity = 'enrollment' and d.enrollment_id = s.enrollment_id
    and (d.effective_at > s.effective_at or (d.effective_at = s.effective_at
      and (d.load_id > s.load_id or (d.load_id = s.load_id and d.position > s.position)))));

create view staging.live_course_completion as
select s.learner_id, s.learner_key, s.course_id, s.course_key, s.completed_at, s.completed_date_key, s.final_score,
  s.grade, s.passed, s.effective_at, s.source, s.load_id, s.position
from staging.stg_course_completion s
where not exists (
  select 1 from staging.stg_deletion d
  where d.entity = 'course_completion' and d.learner_key = s.learner_key and d.course_key = s.course_key
    and (d.effective_at > s.effective_at or (d.effective_at = s.effective_at
      and (d.load_id > s.load_id or (d.load_id = s.load_id and d.position > s.position)))));
