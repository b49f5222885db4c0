-- title: Remembers that a numbered change, or the declared base (number 0), was applied
insert into meta.schema_changes
values ($number, $name, $sha256, cast($applied_at as timestamp))
