-- title: All loads are under one key
-- severity: error
-- definition: Under another key the same people have other pseudonyms, so each learner of both counts twice. Loading
--   the inputs again supersedes their loads under the other key: lpa key show lists the commands.
with current_loads as (
  select key_id, count(*) as loads, min(load_id) as first_load, max(load_id) as last_load
  from meta.loads
  where superseded_by is null
  group by key_id
),
several as (
  select count(*) as key_ids
  from current_loads
)
select c.key_id, c.loads, c.first_load, c.last_load
from current_loads c
cross join several n
where n.key_ids > 1
