-- title: Keeps one object of the policy
insert into meta.policy_objects
values ($kind, $name, $definition, cast($applied_at as timestamp))
