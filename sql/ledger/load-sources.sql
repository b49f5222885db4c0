-- title: Sources of which loads count
select distinct source
from meta.loads
where superseded_by is null
order by source
