-- title: Loads of the same content
-- grain: a load that still counts
-- definition: identity of a load is its source, its content, the mapping that read it and the key of its pseudonyms
select load_id, format, mapping_sha256, key_id
from meta.loads
where source = $source and content_sha256 = $content_sha256 and superseded_by is null
order by load_id
