-- title: The live tables and their columns
-- grain: a column
-- definition: type has its digits where it has some; view_definition is a view's SELECT as it was written, null where the
--   role does not own the view
select lower(c.table_schema) || '.' || lower(c.table_name) as table_name, lower(c.column_name) as column_name,
  lower(c.data_type) || case when c.data_type = 'NUMBER' then '(' || c.numeric_precision || ',' || c.numeric_scale || ')' else '' end as type,
  c.is_nullable = 'NO' as required, case when v.table_name is null then 'table' else 'view' end as kind,
  substr(nullif(v.view_definition, ''), position(' as' in lower(v.view_definition)) + 4) as view_definition
from information_schema.columns c
left join information_schema.views v on v.table_schema = c.table_schema and v.table_name = c.table_name
where c.table_schema in ('RAW', 'STAGING', 'CORE', 'META')
order by c.table_schema, c.table_name, c.ordinal_position
