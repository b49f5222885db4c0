-- title: Says that an lpa grant apply is still at work
update meta.policy_objects
set applied_at = cast($applied_at as timestamp)
where kind = 'apply' and name = $name
