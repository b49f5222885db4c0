-- meta: book-keeping. Written in the same transaction as what it tells of.

-- next_cursor: from where the next load of an HTTP API goes on, sealed under the pseudonym key.
-- key: load_id
create table meta.loads (
  load_id bigint not null,
  source varchar not null,
  format varchar not null,
  uri varchar not null,
  content_sha256 varchar not null,
  bytes bigint not null,
  records_read bigint not null,
  records_mapped bigint not null,
  records_rejected bigint not null,
  records_filtered bigint not null,
  records_doubled bigint not null,
  mapping_sha256 varchar not null,
  key_id varchar not null,
  superseded_by bigint,
  started_at timestamp not null,
  committed_at timestamp not null,
  next_cursor varchar
);

create table meta.load_entities (
  load_id bigint not null,
  entity varchar not null,
  rows bigint not null
);

-- Staged Parquet files as they were committed: `lpa doctor --verify` finds every changed byte.
create table meta.load_files (
  load_id bigint not null,
  table_name varchar not null,
  file_name varchar not null,
  bytes bigint not null,
  sha256 varchar not null
);

-- Loads whose rows are in core. A load that was superseded after it was built stays here until the next batch.
-- session_gap_minutes: the setting that agg_course_day was built with.
create table meta.built_loads (
  load_id bigint not null,
  built_at timestamp not null,
  session_gap_minutes integer
);

create table meta.stream_offsets (
  source varchar not null,
  topic varchar not null,
  topic_id varchar not null,
  partition integer not null,
  next_offset bigint not null,
  committed_at timestamp not null
);

create table meta.runs (
  run_id varchar not null,
  command varchar not null,
  arguments varchar not null,
  role varchar,
  started_at timestamp not null,
  finished_at timestamp not null,
  exit_code integer not null,
  summary varchar
);

-- Declared DDL that was applied: number 0 is the base schema.
create table meta.schema_changes (
  number integer not null,
  name varchar not null,
  sha256 varchar not null,
  applied_at timestamp not null
);

create table meta.checks (
  run_id varchar not null,
  check_name varchar not null,
  severity varchar not null,
  failures bigint not null,
  checked_at timestamp not null
);

-- Pseudonyms that erased learners had, for loads to leave them out; of each the SHA-256 of lpa:erased:PSEUDONYM, since
-- the pseudonym itself stays nowhere.
create table meta.erased (
  learner_id varchar not null,
  erased_at timestamp not null
);

-- The policy that was applied, as the embedded engine keeps it: one row for each tag, tagging, mask, row rule, role and user.
-- key: kind, name
create table meta.policy_objects (
  kind varchar not null,
  name varchar not null,
  definition varchar not null,
  applied_at timestamp not null
);
