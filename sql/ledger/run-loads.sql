-- title: The loads of a run
-- grain: a load
-- definition: Loads that began and were committed while the run went on, or took the place of one that began as they say.
select l.load_id, l.source, l.format, l.uri, l.records_read as read, l.records_mapped as mapped,
  l.records_rejected as rejected, l.records_filtered as filtered, l.records_doubled as doubled, l.superseded_by
from meta.loads l
join meta.runs r on l.committed_at between r.started_at and r.finished_at
where r.run_id = $run_id
  and (
    l.started_at >= r.started_at
    or exists (
      select 1 from meta.loads o
      where o.source = l.source and o.started_at = l.started_at and o.load_id < l.load_id and o.superseded_by is not null
    )
  )
order by l.load_id
