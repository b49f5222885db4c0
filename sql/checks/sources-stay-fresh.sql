-- title: Every source still brings data
-- severity: warning
-- definition: A source that was loaded at four times or more is late when nothing came for more than twice its longest gap,
--   and for more than two days, by the time of the newest load of all: its export or its cron job has stopped.
--   What was requeued or mapped again came when its first load did.
with gaps as (
  select source, committed_at,
    lpa_seconds(lag(committed_at) over (partition by source order by committed_at nulls last), committed_at) as gap_seconds
  from meta.loads l
  where not exists (
    select 1 from meta.loads o
    where o.source = l.source and o.started_at = l.started_at and o.load_id < l.load_id and o.superseded_by is not null
  )
),
by_source as (
  select source, count(*) as loads, max(committed_at) as newest_at, max(gap_seconds) as longest_seconds
  from gaps
  group by source
),
newest as (
  select max(committed_at) as newest_at from meta.loads
)
select b.source, b.newest_at, b.longest_seconds, lpa_seconds(b.newest_at, n.newest_at) as silent_seconds
from by_source b
cross join newest n
where b.loads >= 4 and lpa_seconds(b.newest_at, n.newest_at) > 172800
  and lpa_seconds(b.newest_at, n.newest_at) > 2 * b.longest_seconds
