-- title: Note that core holds a batch's loads
insert into meta.built_loads
select load_id, cast($built_at as timestamp), $session_gap_minutes from batch_load
