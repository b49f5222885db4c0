-- title: Each event is in fact_learning_event once
-- severity: error
-- definition: An event is known by its day and id. A double carries the same time.
select date_key, event_id, count(*) as rows_found
from fact_learning_event
group by date_key, event_id
having count(*) > 1
