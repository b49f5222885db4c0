-- title: How many loads are in core
select count(*) as loads from meta.built_loads
