-- title: What the live views select
-- grain: a view
-- definition: Without "create view NAME as": text that `canonical-view` gives for what is declared.
select table_schema || '.' || table_name as view_name,
  regexp_replace(view_definition, '^CREATE VIEW \S+ AS |;\s*$', '', 'g') as definition
from information_schema.views
where table_catalog = current_database() and table_schema in ('raw', 'staging', 'core', 'meta')
order by view_name
