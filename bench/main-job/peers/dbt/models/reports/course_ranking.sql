with pairs as (
  select distinct learner_key, course_key from {{ ref('fact_enrollment') }}
)
select c.course_id, count(*) as learners, count(f.completed_at) as completed
from pairs p
left join {{ ref('fact_course_completion') }} f on f.learner_key = p.learner_key and f.course_key = p.course_key
join {{ ref('dim_course') }} c on c.course_key = p.course_key
group by c.course_id
having count(*) >= 5
order by cast(count(f.completed_at) as double) / count(*) desc, c.course_id
limit 10
