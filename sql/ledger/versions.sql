-- title: The engine and its extensions
-- grain: a part
select 'duckdb' as part, version() as version
union all
select extension_name, extension_version from duckdb_extensions() where extension_name in ('ducklake', 'sqlite_scanner')
order by part
