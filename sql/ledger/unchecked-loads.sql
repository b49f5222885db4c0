-- title: Loads that core holds and no check has looked at
-- definition: a stream builds more often than it checks. Checks are noted in the transaction that builds what they look at;
--   snapshots are numbered in the order of commits, whatever the clock says
select load_id from meta.built_loads
where snapshot_id > coalesce((select max(snapshot_id) from meta.checks), -1)
order by load_id
