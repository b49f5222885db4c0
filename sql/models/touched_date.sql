-- title: Days because of which the calendar must be made anew
-- grain: a day
-- definition: days that it lacks, days that a touched pair may have left, and days whose term is another by now
-- materialise: temporary
select coalesce(d.date_key, t.date_key) as date_key
from dim_date d
full join touched_day t on t.date_key = d.date_key
left join configured_term c on d.full_date between c.first_day and c.last_day
where d.date_key is null or d.term is distinct from c.term
union
select date_key from touched_day  -- brought by touched_pair
