-- title: Columns of the live tables and views
-- grain: a column, in the order of its table
-- definition: view_definition is a view's SELECT as `canonicalView` of the engine writes it too, null for a table.
--   information_schema.tables would tell the two apart, but takes ten times as long.
select c.table_schema || '.' || c.table_name as table_name, c.column_name, c.data_type as type,
  c.is_nullable = 'NO' as required, case when v.table_name is null then 'table' else 'view' end as kind,
  json_deserialize_sql(json_serialize_sql(regexp_replace(v.view_definition, '^CREATE VIEW \S+ AS |;\s*$', '', 'g'))) as view_definition
from information_schema.columns c
left join information_schema.views v
  on v.table_catalog = c.table_catalog and v.table_schema = c.table_schema and v.table_name = c.table_name
where c.table_catalog = current_database() and c.table_schema in ('raw', 'staging', 'core', 'meta')
order by c.table_schema, c.table_name, c.ordinal_position
