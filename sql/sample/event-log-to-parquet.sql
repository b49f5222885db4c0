-- The sample's event log ($lines, NDJSON) as a typed Parquet file ($target).
copy (
  select *
  from read_json($lines, format = 'newline_delimited', columns = {
    event_id: 'varchar', event_type: 'varchar', learner_id: 'varchar', course_id: 'varchar',
    activity_id: 'varchar', activity_type: 'varchar', session_id: 'varchar', occurred_at: 'timestamptz',
    duration_seconds: 'double', score: 'double', progress: 'double', quantity: 'double',
    attributes: 'varchar', ip_address: 'varchar', user_name: 'varchar'
  })
) to $target (format parquet, compression zstd)
