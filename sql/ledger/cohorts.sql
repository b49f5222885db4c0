-- title: What a report's parameter "cohort" can name
-- definition: weeks of enrollments, also of those that are no learner's first: of one course or category they may be
select distinct cast(d.iso_year as string) || '-W' || lpad(cast(d.iso_week as string), 2, '0') as cohort
from core.fact_enrollment e
join core.dim_date d on d.date_key = e.enrolled_date_key
