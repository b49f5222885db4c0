-- title: Forget what was built, before everything is built anew
delete from meta.built_loads
