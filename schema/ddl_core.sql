-- core: the star. Every dimension has a row with key 0, "none"; every fact finds its dimension rows.
-- `cluster` and `partition` in a table's comment are what each engine makes of them:
-- CLUSTER BY on Snowflake, sorted and month-partitioned files in DuckLake, month partitions on Spark.
-- attributes is declared VARIANT; the embedded engine keeps it as JSON unless warehouse.attributes = "variant".

-- grain: a day
create table core.dim_date (
  date_key integer not null,
  full_date date not null,
  year integer not null,
  quarter integer not null,
  month integer not null,
  month_name varchar not null,
  iso_year integer not null,
  iso_week integer not null,
  day_of_month integer not null,
  day_of_week integer not null,
  day_name varchar not null,
  is_weekend boolean not null,
  term varchar
);

-- grain: a category; level 1 and parent_category_key null at the root
create table core.dim_course_category (
  category_key bigint not null,
  category_id varchar,
  category_name varchar,
  parent_category_key bigint,
  level integer not null,
  path varchar
);

-- grain: an instructor
create table core.dim_instructor (
  instructor_key bigint not null,
  instructor_id varchar,
  display_name varchar,
  department varchar
);

-- grain: a course's instructor
create table core.bridge_course_instructor (
  course_key bigint not null,
  instructor_key bigint not null,
  is_lead boolean not null
);

-- grain: a version of a course (type 2); course_key is the same for all versions
create table core.dim_course (
  course_key bigint not null,
  course_id varchar,
  course_title varchar,
  category_key bigint not null,
  instructor_key bigint not null,
  language varchar,
  difficulty varchar,
  duration_hours decimal(9, 2),
  starts_on date,
  ends_on date,
  published_on date,
  attributes variant,
  valid_from timestamp not null,
  valid_to timestamp not null,
  is_current boolean not null
);

-- grain: a version of a learner (type 2); learner_key is the same for all versions
create table core.dim_learner (
  learner_key bigint not null,
  learner_id varchar,
  email_hash varchar,
  country varchar,
  region varchar,
  age_band varchar,
  gender varchar,
  education_level varchar,
  signed_up_on date,
  attributes variant,
  valid_from timestamp not null,
  valid_to timestamp not null,
  is_current boolean not null
);

-- grain: one attempt of a learner at a course
-- cluster: enrolled_date_key, course_key
-- partition: month of enrolled_at
create table core.fact_enrollment (
  enrollment_id varchar not null,
  learner_key bigint not null,
  course_key bigint not null,
  attempt integer not null,
  enrolled_date_key integer not null,
  enrolled_at timestamp not null,
  status varchar not null,
  mode varchar,
  withdrawn_date_key integer,
  withdrawn_at timestamp,
  price_amount decimal(12, 2),
  price_currency varchar,
  source varchar not null
);

-- grain: one event
-- cluster: date_key, course_key
-- partition: month of occurred_at
create table core.fact_learning_event (
  event_id varchar not null,
  learner_key bigint not null,
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
  source varchar not null,
  attributes variant
);

-- grain: a learner's first completion of a course
-- cluster: completed_date_key, course_key
-- partition: month of completed_at
create table core.fact_course_completion (
  learner_key bigint not null,
  course_key bigint not null,
  completed_date_key integer not null,
  completed_at timestamp not null,
  final_score double,
  grade varchar,
  passed boolean,
  days_to_complete integer,
  source varchar not null
);

-- grain: a course on a day
-- cluster: date_key, course_key
create table core.agg_course_day (
  course_key bigint not null,
  date_key integer not null,
  enrollments bigint not null,
  withdrawals bigint not null,
  completions bigint not null,
  active_learners bigint not null,
  events bigint not null,
  event_quantity double not null,
  time_on_task_seconds double not null
);

-- The current versions: the documented joins.
create view core.learner as
select learner_key, learner_id, email_hash, country, region, age_band, gender, education_level, signed_up_on, attributes
from core.dim_learner
where is_current;

create view core.course as
select course_key, course_id, course_title, category_key, instructor_key, language, difficulty, duration_hours,
  starts_on, ends_on, published_on, attributes
from core.dim_course
where is_current;
