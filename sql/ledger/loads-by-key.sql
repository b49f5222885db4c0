-- title: Loads that count, by the key of their pseudonyms
-- grain: a key id
select key_id, count(*) as loads
from meta.loads
where superseded_by is null
group by key_id
order by loads desc, key_id
