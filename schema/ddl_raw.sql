-- raw: records as received, pseudonymised. `json` is JSON text on every engine.

-- One row per record of an event source. payload holds the paths that the mapping keeps.
create table raw.raw_learning_events (
  load_id bigint not null,
  source varchar not null,
  format varchar not null,
  position bigint not null,
  received_at timestamp not null,
  payload json
);

-- One row per record that could not be mapped. position is file:line or topic-partition-offset.
create table raw.rejected_rows (
  load_id bigint not null,
  source varchar not null,
  position varchar not null,
  reason_code varchar not null,
  reason varchar not null,
  column_name varchar,
  byte_length bigint,
  content_hmac varchar,
  payload json,
  requeued_at timestamp
);
