-- title: Nothing happened later than it was loaded
-- severity: warning
-- definition: More than a day later than the load was committed: a wrong clock or a wrong time zone at the source, or starts
--   of terms given as enrollments. Reports that end at the newest day of the data then end there.
select 'event' as what, s.source, s.load_id, count(*) as rows_found, max(s.occurred_at) as latest
from staging.stg_learning_event s
join meta.loads l on l.load_id = s.load_id
where s.occurred_at > l.committed_at + interval '1 day'
group by s.source, s.load_id
union all
select 'enrollment', s.source, s.load_id, count(*), max(s.enrolled_at)
from staging.live_enrollment s
join meta.loads l on l.load_id = s.load_id
where s.enrolled_at > l.committed_at + interval '1 day'
group by s.source, s.load_id
union all
select 'completion', s.source, s.load_id, count(*), max(s.completed_at)
from staging.live_course_completion s
join meta.loads l on l.load_id = s.load_id
where s.completed_at > l.committed_at + interval '1 day'
group by s.source, s.load_id
