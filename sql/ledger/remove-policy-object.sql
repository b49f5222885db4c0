-- title: Forgets one object of the policy
delete from meta.policy_objects where kind = $kind and name = $name
