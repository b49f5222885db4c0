-- title: Whether a file of this size was loaded before
-- definition: such a file is hashed before it is read, so that loading it again costs one pass over its bytes
select count(*) as loads from meta.loads where source = $source and bytes = $bytes
