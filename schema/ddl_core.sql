-- core: the star. Every dimension has a row with key 0, "none"; every fact finds its dimension rows.
-- `cluster` and `partition` in a table's comment are what each engine makes of them:
-- CLUSTER BY on Snowflake, sorted and month-partitioned files in DuckLake, month partitions on Spark.
-- `key` is one that no engine enforces: Snowflake has it for tools to read, and the checks hold rows against it.
-- attributes is declared VARIANT; the embedded engine keeps it as JSON unless warehouse.attributes = "variant".

-- grain: a day
-- key: date_key
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
-- key: category_key
create table core.dim_course_category (
  category_key bigint not null,
  category_id varchar,
  category_name varchar,
  parent_category_key bigint,
  level integer not null,
  path varchar
);

-- grain: an instructor
-- key: instructor_key
create table core.dim_instructor (
  instructor_key bigint not null,
  instructor_id varchar,
  display_name varchar,
  department varchar
);

-- grain: a course's instructor
-- key: course_key, instructor_key
create table core.bridge_course_instructor (
  course_key bigint not null,
  instructor_key bigint not null,
  is_lead boolean not null
);

-- grain: a version of a course (type 2); course_key is the same for all versions
-- key: course_key, valid_from
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
-- key: learner_key, valid_from
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
-- key: enrollment_id
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
-- key: event_id
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
-- key: learner_key, course_key
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
-- key: course_key, date_key
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
-- grain: a learner
-- key: learner_key
create view core.learner as
select learner_key, learner_id, email_hash, country, region, age_band, gender, education_level, signed_up_on, attributes
from core.dim_learner
where is_current;

-- grain: a course
-- key: course_key
create view core.course as
select course_key, course_id, course_title, category_key, instructor_key, language, difficulty, duration_hours,
  starts_on, ends_on, published_on, attributes
from core.dim_course
where is_current;

-- The newest day of the facts: where reports end. One row; null while there are none.
create view core.newest_day as
select max(t.date_key) as date_key
from (
  select max(enrolled_date_key) as date_key from core.fact_enrollment
  union all
  select max(completed_date_key) from core.fact_course_completion
  union all
  select max(date_key) from core.fact_learning_event
) t;

-- grain: a learner in a course, where anything is known of how far
-- progress: activities completed ÷ required, else what was reported last of the course itself; from 0 to 1
create view core.course_progress as
with done as (
  select learner_key, course_key, count(*) as activities
  from (
    select distinct learner_key, course_key, activity_id
    from core.fact_learning_event
    where course_key <> 0 and event_type = 'completed' and activity_id is not null and coalesce(activity_type, '') <> 'course'
  ) t
  group by learner_key, course_key
),
required as (
  select course_key, lpa_number(attributes, 'required_activities') as activities
  from core.course
),
known as (
  select d.learner_key, d.course_key, 0 as preference, cast(d.activities as double) / nullif(q.activities, 0) as progress
  from done d
  join required q on q.course_key = d.course_key
  union all
  select learner_key, course_key, 1, progress
  from core.fact_learning_event
  where course_key <> 0 and progress is not null and coalesce(activity_type, 'course') = 'course'
  qualify row_number() over (partition by learner_key, course_key order by occurred_at desc nulls last, event_id desc nulls last) = 1
)
select learner_key, course_key, case when progress > 1 then 1 else progress end as progress
from known
where progress is not null
qualify row_number() over (partition by learner_key, course_key order by preference nulls last) = 1;
