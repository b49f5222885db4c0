-- title: Loads of less content
-- grain: an entity of a load
-- definition: whose content a file may begin with that grew; a file of headers only held nothing that could double
select l.load_id, l.bytes, l.content_sha256, l.format, e.entity, l.superseded_by is null as is_counting
from meta.loads l
join meta.load_entities e on e.load_id = l.load_id
where l.source = $source and l.bytes < $bytes and l.records_read > 0
order by l.load_id, e.entity
