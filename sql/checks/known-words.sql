-- title: Events and enrollments use the words of the vocabulary
-- severity: error
select 'event_type' as column_name, event_type as word, count(*) as rows_found
from fact_learning_event
where event_type not in ('registered', 'unregistered', 'launched', 'viewed', 'played', 'paused', 'seeked', 'attempted',
  'answered', 'submitted', 'scored', 'progressed', 'completed', 'passed', 'failed', 'waived', 'abandoned', 'commented',
  'downloaded', 'searched', 'earned', 'logged_in', 'logged_out', 'other')
group by event_type
union all
select 'status', status, count(*)
from fact_enrollment
where status not in ('active', 'completed', 'withdrawn')
group by status
