-- title: Snapshots that can be read with --at: those before the first tables cannot
select count(*) as snapshots, min(snapshot_id) as first_version, max(snapshot_id) as last_version,
  min(cast(snapshot_time as timestamptz)) as first_time, max(cast(snapshot_time as timestamptz)) as last_time
from __ducklake_metadata_lake.ducklake_snapshot
where snapshot_id >= (select min(begin_snapshot) from __ducklake_metadata_lake.ducklake_view)
