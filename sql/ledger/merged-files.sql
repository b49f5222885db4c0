-- title: Files whose rows are in others by now
-- definition: readers of an older snapshot may still need them; they go after some days
select path from __ducklake_metadata_lake.ducklake_files_scheduled_for_deletion
where cast(path_is_relative as boolean)
