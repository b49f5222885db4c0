-- title: Remember whom not to let come back
insert into meta.erased
select cast(t.value as varchar), cast($now as timestamp_ntz)
from table(split_to_table($hashes, ',')) t
