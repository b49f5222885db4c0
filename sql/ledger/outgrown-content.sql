-- title: Loads of more content that begins with this one
-- grain: an entity of a load that still counts
-- definition: a file grew after this content of it was loaded, and the load of the larger one superseded it
select n.load_id, n.format, e.entity, n.mapping_sha256, n.key_id
from meta.loads l
join meta.loads n on n.load_id = l.superseded_by
join meta.load_entities e on e.load_id = n.load_id
where l.source = $source and l.content_sha256 = $content_sha256 and n.source = l.source and n.superseded_by is null
  and n.content_sha256 <> l.content_sha256 and n.bytes > l.bytes
order by n.load_id, e.entity
