-- title: The policy that was applied
-- grain: a tag, tagging, mask, row rule, role or user
select kind, name, definition
from meta.policy_objects
order by kind nulls last, name nulls last
