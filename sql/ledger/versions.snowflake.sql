-- title: The engine
-- grain: a part
select 'snowflake' as part, current_version() as version
