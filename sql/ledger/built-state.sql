-- title: What core holds
-- grain: one row
-- definition: stale is what only building everything anew mends: rows of a load that was superseded after it was built,
--   and days that were built with another session gap
select exists (select 1 from meta.built_loads) as has_built,
  exists (select 1 from meta.built_loads where session_gap_minutes is distinct from $session_gap_minutes)
  or exists (
    select 1 from meta.loads where superseded_by is not null and load_id in (select load_id from meta.built_loads)
  ) as is_stale
