-- title: What core holds, and what it does not
-- grain: a load that counts and is not in core, in the order in which they were committed; and for all that is in core one
--   row without a load
-- definition: stale is what only building everything anew mends: rows of a load that was superseded after it was built,
--   and days that were built with another session gap. A stream asks after each of its commits, and planning a table takes
--   longer than reading it: so it is one question
select case when b.load_id is null then l.load_id end as unbuilt_load_id, cast(sum(l.records_mapped) as bigint) as records,
  max(case when b.load_id is not null then 1 else 0 end) = 1 as is_built,
  max(case when b.load_id is not null
    and (l.superseded_by is not null or b.session_gap_minutes is distinct from $session_gap_minutes) then 1 else 0 end) = 1 as is_stale
from meta.loads l
full join meta.built_loads b on b.load_id = l.load_id
where b.load_id is not null or l.superseded_by is null
group by unbuilt_load_id
order by max(l.committed_at), unbuilt_load_id
