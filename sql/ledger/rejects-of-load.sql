-- title: What a load rejected
-- grain: a rejected record
select position, reason from raw.rejected_rows where load_id = $load
