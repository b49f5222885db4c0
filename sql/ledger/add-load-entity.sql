-- title: Note what a load brought of an entity
insert into meta.load_entities values ($load_id, $entity, $rows)
