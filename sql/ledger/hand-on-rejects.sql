-- title: Rejected records of a load whose others are mapped again
update raw.rejected_rows
set load_id = $by
where load_id = $load_id
