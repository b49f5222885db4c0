-- title: Note that core holds a batch's loads
insert into meta.built_loads
select load_id, cast(cast($built_at as timestamptz) at time zone 'UTC' as timestamp), $session_gap_minutes from batch_load
