-- title: The lpa grant apply that is at work, where more than one could be
-- grain: a run; none or one
select name, definition, applied_at
from meta.policy_objects
where kind = 'apply'
order by name nulls last
