-- title: The highest load number
select coalesce(max(load_id), 0) as load_id from meta.loads
