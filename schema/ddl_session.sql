-- Tables of a transaction: what a batch holds and what it touches. The embedded engine makes them of the models as it goes;
-- on Snowflake, where a CREATE would end the transaction, they are made before it begins.

create table batch_load (
  load_id bigint,
  place bigint
);

create table configured_term (
  term varchar,
  first_day date,
  last_day date
);

create table configured_session (
  gap_seconds bigint
);

create table checked_load (
  load_id bigint
);

create table check_outcome (
  check_name varchar,
  severity varchar,
  failures bigint
);

create table stream_claim (
  topic varchar,
  topic_id varchar,
  partition bigint,
  stored_offset bigint,
  next_offset bigint
);

create table batch_event (
  learner_key bigint,
  course_key bigint,
  date_key integer,
  changes_pair integer
);

create table retracted_event (
  event_id varchar,
  learner_key bigint,
  course_key bigint,
  date_key integer,
  changes_pair integer
);

create table touched_pair (
  learner_key bigint,
  course_key bigint
);

create table touched_enrollment (
  enrollment_id varchar
);

create table touched_day (
  course_key bigint,
  date_key integer
);

create table touched_course (
  course_key bigint
);

create table touched_learner (
  learner_key bigint
);

create table touched_date (
  date_key integer
);

create table repeated_event (
  load_id bigint,
  position bigint,
  event_id varchar
);

create table fact_before (
  fact varchar,
  id bigint,
  rest bigint
);
