-- title: Whether a load still counts
select count(*) as loads from meta.loads where load_id = $load_id and superseded_by is null
