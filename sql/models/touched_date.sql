-- title: Days because of which the calendar must be made anew
-- grain: a day
-- definition: days that it lacks, days that a touched pair may have left, and days whose term is another by now
-- materialise: temporary
select t.date_key
from touched_day t
where not exists (select 1 from dim_date d where d.date_key = t.date_key)
union
select date_key from touched_day  -- brought by touched_pair
union
select d.date_key
from dim_date d
left join configured_term t on d.full_date between t.first_day and t.last_day
where d.term is distinct from t.term
