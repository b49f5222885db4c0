-- One pass over the text; all else is made of this table.
{% set fields = ['event_id', 'event_type', 'learner_id', 'course_id', 'activity_id', 'activity_type', 'session_id', 'occurred_at', 'duration_seconds',
  'score', 'progress', 'quantity'] -%}
with lines as (
  select line, json_valid(line) as ok
  from read_csv('{{ env_var("BENCH_EXPORTS") }}/events.ndjson', columns = {'line': 'VARCHAR'}, delim = '', quote = '', escape = '', header = false,
    auto_detect = false, strict_mode = false)
  where line <> ''
),
parsed as (
  select ok, case when ok then json_transform(line, '{ {%- for field in fields %}"{{ field }}": "VARCHAR", {% endfor %}"attributes": "JSON"}') end as r
  from lines
)
select r.event_id, r.event_type, {{ learner('r.learner_id') }} as learner_id, r.course_id, r.activity_id, r.activity_type, r.session_id,
  r.occurred_at as occurred_text, {{ instant('r.occurred_at') }} as occurred_at,
  r.duration_seconds as duration_text, try_cast(r.duration_seconds as double) as duration_seconds, r.score as score_text, try_cast(r.score as double) as score,
  r.progress as progress_text, try_cast(r.progress as double) as progress, r.quantity as quantity_text, coalesce(try_cast(r.quantity as double), 1) as quantity,
  r.attributes, ok
from parsed
