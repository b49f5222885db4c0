-- title: What the loads of a batch brought
-- grain: an entity
select distinct entity from meta.load_entities where "ROWS" > 0 and load_id in (select load_id from batch_load)
