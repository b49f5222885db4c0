-- title: Loads of the same content
-- grain: an entity of a load that still counts
-- definition: identity of a load is its source, its content, the mapping that read it and the key of its pseudonyms
select l.load_id, l.format, e.entity, l.mapping_sha256, l.key_id
from meta.loads l
join meta.load_entities e on e.load_id = l.load_id
where l.source = $source and l.content_sha256 = $content_sha256 and l.superseded_by is null
order by l.load_id, e.entity
