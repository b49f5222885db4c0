-- title: No event happened later than it was loaded
-- severity: warning
-- definition: More than a day later than the load was committed: a wrong clock or a wrong time zone at the source.
select s.source, s.load_id, count(*) as rows_found, max(s.occurred_at) as latest
from staging.stg_learning_event s
join meta.loads l on l.load_id = s.load_id
where s.occurred_at > l.committed_at + interval '1 day'
group by s.source, s.load_id
