-- title: Staged files as they were committed
-- grain: a file of a load whose rows are still there
select f.table_name, f.file_name, f.sha256
from meta.load_files f
join meta.loads l on l.load_id = f.load_id
order by f.load_id, f.table_name, f.file_name
