-- title: Loads that core holds and no check has looked at
-- definition: a stream builds more often than it checks
select load_id from meta.built_loads
where built_at > coalesce((select max(checked_at) from meta.checks), timestamp '1970-01-01 00:00:00')
order by load_id
