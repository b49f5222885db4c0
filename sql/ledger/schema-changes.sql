-- title: Declared DDL and numbered changes that were applied
-- grain: an application; the base (number 0) has one for every declaration the warehouse was brought to
select number, name, sha256, applied_at from meta.schema_changes order by number, applied_at
