-- title: Other sources under which a content counts
select distinct source
from meta.loads
where content_sha256 = $content_sha256 and source <> $source and superseded_by is null
order by source
