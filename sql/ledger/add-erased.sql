-- title: Remember whom not to let come back
insert into meta.erased
select $hash, cast($now as timestamp)
