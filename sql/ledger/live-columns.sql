-- title: Columns of the live tables and views
-- grain: a column, in the order of its table
select c.table_schema || '.' || c.table_name as table_name, t.table_type = 'VIEW' as is_view, c.column_name,
  c.data_type as type, c.is_nullable = 'NO' as required
from information_schema.columns c
join information_schema.tables t
  on t.table_catalog = c.table_catalog and t.table_schema = c.table_schema and t.table_name = c.table_name
where c.table_catalog = current_database() and c.table_schema in ('raw', 'staging', 'core', 'meta')
order by table_name, c.ordinal_position
