-- title: Loads that core holds and no check has looked at
-- definition: builds and checks of one transaction have the same clock; what was built after the last checks waits for some
select load_id from meta.built_loads
where built_at > coalesce((select max(checked_at) from meta.checks), cast('1970-01-01' as timestamp))
order by load_id
