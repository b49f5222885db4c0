-- title: By what each table is clustered
-- grain: a table with a clustering key, whose columns are in one text
select lower(table_schema) || '.' || lower(table_name) as table_name, 'cluster' as kind, 1 as position,
  lower(replace(replace(clustering_key, 'LINEAR(', ''), ')', '')) as column_name
from information_schema.tables
where table_schema in ('RAW', 'STAGING', 'CORE', 'META') and clustering_key is not null
order by table_name
