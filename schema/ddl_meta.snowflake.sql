-- meta in Snowflake. Made by scripts/snowflake-ddl.ts from schema/ddl_meta.sql: change that, not this.
-- lpa schema apply runs the same statements. A DBA may run them before it, in the database of the connection: it then finds
-- nothing to make, and writes down that all is there, which runs need to begin.
-- Keys are for tools to read: Snowflake enforces none, and the checks of lpa batch do. A longer time travel is yours to set
-- (Enterprise Edition): alter table core.fact_enrollment set data_retention_time_in_days = 30. lpa leaves it as it is.

create schema if not exists meta;

-- meta: book-keeping. Written in the same transaction as what it tells of.

-- next_cursor: from where the next load of an HTTP API goes on, sealed under the pseudonym key.
-- key: load_id
create sequence if not exists meta.load_ids start = 1 increment = 1 order;

create stage if not exists meta.staged_files;

create table if not exists meta.loads (
  load_id number(38,0) not null,
  source varchar not null,
  format varchar not null,
  uri varchar not null,
  content_sha256 varchar not null,
  bytes number(38,0) not null,
  records_read number(38,0) not null,
  records_mapped number(38,0) not null,
  records_rejected number(38,0) not null,
  records_filtered number(38,0) not null,
  records_doubled number(38,0) not null,
  mapping_sha256 varchar not null,
  key_id varchar not null,
  superseded_by number(38,0),
  started_at timestamp_ntz not null,
  committed_at timestamp_ntz not null,
  next_cursor varchar,
  primary key (load_id)
)
data_retention_time_in_days = 1;

create table if not exists meta.load_entities (
  load_id number(38,0) not null,
  entity varchar not null,
  "ROWS" number(38,0) not null
)
data_retention_time_in_days = 1;

-- Staged Parquet files as they were committed: `lpa doctor --verify` finds every changed byte.
create table if not exists meta.load_files (
  load_id number(38,0) not null,
  table_name varchar not null,
  file_name varchar not null,
  bytes number(38,0) not null,
  sha256 varchar not null
)
data_retention_time_in_days = 1;

-- Loads whose rows are in core. A load that was superseded after it was built stays here until the next batch.
-- session_gap_minutes: the setting that agg_course_day was built with.
create table if not exists meta.built_loads (
  load_id number(38,0) not null,
  built_at timestamp_ntz not null,
  session_gap_minutes number(38,0)
)
data_retention_time_in_days = 1;

create table if not exists meta.stream_offsets (
  source varchar not null,
  topic varchar not null,
  topic_id varchar not null,
  partition number(38,0) not null,
  next_offset number(38,0) not null,
  committed_at timestamp_ntz not null
)
data_retention_time_in_days = 1;

create table if not exists meta.runs (
  run_id varchar not null,
  command varchar not null,
  arguments varchar not null,
  role varchar,
  started_at timestamp_ntz not null,
  finished_at timestamp_ntz not null,
  exit_code number(38,0) not null,
  summary varchar
)
data_retention_time_in_days = 1;

-- Declared DDL that was applied: number 0 is the base schema.
create table if not exists meta.schema_changes (
  number number(38,0) not null,
  name varchar not null,
  sha256 varchar not null,
  applied_at timestamp_ntz not null
)
data_retention_time_in_days = 1;

create table if not exists meta.checks (
  run_id varchar not null,
  check_name varchar not null,
  severity varchar not null,
  failures number(38,0) not null,
  checked_at timestamp_ntz not null
)
data_retention_time_in_days = 1;

-- Pseudonyms that erased learners had, for loads to leave them out; of each the SHA-256 of lpa:erased:PSEUDONYM, since
-- the pseudonym itself stays nowhere.
create table if not exists meta.erased (
  learner_id varchar not null,
  erased_at timestamp_ntz not null
)
data_retention_time_in_days = 1;

-- The policy that was applied, as the embedded engine keeps it: one row for each tag, tagging, mask, row rule, role and user.
-- key: kind, name
create table if not exists meta.policy_objects (
  kind varchar not null,
  name varchar not null,
  definition varchar not null,
  applied_at timestamp_ntz not null,
  primary key (kind, name)
)
data_retention_time_in_days = 1;
