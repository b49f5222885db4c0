-- title: The loads of a run
-- grain: a load
-- definition: Loads that began and were committed while the run went on.
select l.load_id, l.source, l.format, l.uri, l.records_read as read, l.records_mapped as mapped,
  l.records_rejected as rejected, l.records_filtered as filtered, l.records_doubled as doubled, l.superseded_by
from meta.loads l
join meta.runs r on l.started_at >= r.started_at and l.committed_at <= r.finished_at
where r.run_id = $run_id
order by l.load_id
