-- title: From where the next load of an HTTP API goes on
select next_cursor
from meta.loads
where source = $source and superseded_by is null and format = coalesce($format, format) and next_cursor is not null
order by committed_at desc
limit 1
