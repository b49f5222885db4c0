-- raw in Snowflake. Made by scripts/snowflake-ddl.ts from schema/ddl_raw.sql: change that, not this.
-- lpa schema apply runs the same statements. A DBA may run them before it, in the database of the connection: it then finds
-- nothing to make, and writes down that all is there, which runs need to begin.
-- Keys are for tools to read: Snowflake enforces none, and the checks of lpa batch do. A longer time travel is yours to set
-- (Enterprise Edition): alter table core.fact_enrollment set data_retention_time_in_days = 30. lpa leaves it as it is.

create schema if not exists raw;

-- raw: records as received, pseudonymised. `json` is JSON text on every engine.

-- One row per record of an event source. payload holds the paths that the mapping keeps.
create table if not exists raw.raw_learning_events (
  load_id number(38,0) not null,
  source varchar not null,
  format varchar not null,
  position number(38,0) not null,
  received_at timestamp_ntz not null,
  payload variant
)
data_retention_time_in_days = 1;

-- One row per record that could not be mapped. position is file:line or topic-partition-offset.
create table if not exists raw.rejected_rows (
  load_id number(38,0) not null,
  source varchar not null,
  position varchar not null,
  reason_code varchar not null,
  reason varchar not null,
  column_name varchar,
  byte_length number(38,0),
  content_hmac varchar,
  payload varchar,
  requeued_at timestamp_ntz
)
data_retention_time_in_days = 1;
