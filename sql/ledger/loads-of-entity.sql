-- title: What a source holds of an entity
-- grain: a load that still counts
-- definition: a snapshot replaces all of them but its own parts
select l.load_id
from meta.loads l
where l.source = $source and l.superseded_by is null
  and exists (select 1 from meta.load_entities e where e.load_id = l.load_id and e.entity = $entity)
order by l.load_id
