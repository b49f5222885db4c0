-- title: Loads that a new snapshot replaces
-- grain: a load that still counts
select load_id from meta.loads where source = $source and format = $format and superseded_by is null order by load_id
