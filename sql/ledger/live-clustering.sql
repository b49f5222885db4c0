-- title: How the files of each table are sorted and partitioned
-- grain: a column of the sort order, or the column of the month partition
select s.schema_name || '.' || t.table_name as table_name, 'cluster' as kind, e.sort_key_index as position,
  e.expression as column_name
from __ducklake_metadata_lake.ducklake_sort_info i
join __ducklake_metadata_lake.ducklake_sort_expression e on e.sort_id = i.sort_id
join __ducklake_metadata_lake.ducklake_table t on t.table_id = i.table_id and t.end_snapshot is null
join __ducklake_metadata_lake.ducklake_schema s on s.schema_id = t.schema_id and s.end_snapshot is null
where i.end_snapshot is null
union all
select s.schema_name || '.' || t.table_name, 'partition', p.partition_key_index, c.column_name
from __ducklake_metadata_lake.ducklake_partition_info i
join __ducklake_metadata_lake.ducklake_partition_column p on p.partition_id = i.partition_id and p.transform = 'month'
join __ducklake_metadata_lake.ducklake_table t on t.table_id = i.table_id and t.end_snapshot is null
join __ducklake_metadata_lake.ducklake_schema s on s.schema_id = t.schema_id and s.end_snapshot is null
join __ducklake_metadata_lake.ducklake_column c
  on c.table_id = p.table_id and c.column_id = p.column_id and c.end_snapshot is null
where i.end_snapshot is null
order by table_name, kind, position
