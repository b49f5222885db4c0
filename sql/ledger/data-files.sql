-- title: Files that the catalog knows
-- grain: a file of rows or of deletions, of any snapshot that is still kept
-- definition: path is below the data folder. is_current: the newest snapshot reads it.
select distinct s.schema_name || '.' || t.table_name as table_name, s.path || t.path || f.path as path, f.bytes,
  f.end_snapshot is null as is_current
from (
  select table_id, path, path_is_relative, file_size_bytes as bytes, end_snapshot
  from __ducklake_metadata_lake.ducklake_data_file
  union all
  select table_id, path, path_is_relative, file_size_bytes, end_snapshot
  from __ducklake_metadata_lake.ducklake_delete_file
) f
join __ducklake_metadata_lake.ducklake_table t on t.table_id = f.table_id
join __ducklake_metadata_lake.ducklake_schema s on s.schema_id = t.schema_id
where f.path_is_relative
order by table_name, path
