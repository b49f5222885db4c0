-- title: The newest load of each source is about as large as those before
-- severity: warning
-- definition: Less than a quarter, or more than four times, of the median of up to twelve loads of the source by the same
--   mapping before it, of which there must be three. Streams and files of fewer than a hundred records vary anyway.
--   What was requeued or mapped again counts by its first load only.
with placed as (
  select source, format, load_id, records_read,
    row_number() over (partition by source, format order by committed_at desc nulls last, load_id desc nulls last) as place
  from meta.loads l
  where uri not like 'kafka://%' and uri not like 'dir:%' and not exists (
    select 1 from meta.loads o
    where o.source = l.source and o.started_at = l.started_at and o.load_id < l.load_id and o.superseded_by is not null
  )
),
before as (
  select source, format, count(*) as loads, median(cast(records_read as double)) as usual
  from placed
  where place between 2 and 13
  group by source, format
)
select p.source, p.format, p.load_id, p.records_read, b.usual
from placed p
join before b on b.source = p.source and b.format = p.format
where p.place = 1 and b.loads >= 3 and b.usual >= 100
  and (p.records_read * 4 < b.usual or p.records_read > b.usual * 4)
