-- title: Every load accounts for every record
-- severity: error
-- definition: read = mapped + rejected + filtered + doubled.
select load_id, source, uri, records_read, records_mapped, records_rejected, records_filtered, records_doubled
from meta.loads
where records_read <> records_mapped + records_rejected + records_filtered + records_doubled
