-- staging: one typed table per entity, as the front end writes it. Keys and pseudonyms are computed there;
-- position is the record's number in its source, from 1. Instants are UTC, *_date_key in warehouse.timezone.
-- attributes is JSON text here and VARIANT in core: it is written once and read once.

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
