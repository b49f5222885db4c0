{# HMAC-SHA-256 with the key "kkk…" of 32 bytes. #}
{% macro hmac(message) -%}
sha256(unhex('{{ "37" * 32 }}{{ "5c" * 32 }}') || unhex(sha256(unhex('{{ "5d" * 32 }}{{ "36" * 32 }}') || encode({{ message }}))))
{%- endmacro %}

{% macro learner(id) %}{{ hmac("'lpa:v1:learner:campus:' || trim(" ~ id ~ ")") }}{% endmacro %}

{% macro instructor(id) %}{{ hmac("'lpa:v1:instructor:campus:' || " ~ id) }}{% endmacro %}

{% macro person_key(pseudonym) %}cast('0x' || substr({{ pseudonym }}, 1, 15) as bigint){% endmacro %}

{% macro id_key(kind, id) %}cast('0x' || substr(sha256('lpa:{{ kind }}:campus:' || {{ id }}), 1, 15) as bigint){% endmacro %}

{% macro date_key(at) %}cast(year({{ at }}) * 10000 + month({{ at }}) * 100 + day({{ at }}) as integer){% endmacro %}

{% macro instant(text) %}cast(try_cast({{ text }} as timestamptz) at time zone 'UTC' as timestamp){% endmacro %}

{% macro csv(name) -%}
read_csv('{{ env_var("BENCH_EXPORTS") }}/{{ name }}.csv', header = true, all_varchar = true, delim = ',', quote = '"', escape = '"', ignore_errors = true)
{%- endmacro %}

{# What is wrong with an event, or null. #}
{% macro fault() -%}
case when not ok then 'json' when event_id is null then 'event_id' when learner_id is null then 'learner_id' when occurred_at is null then 'occurred_at'
  when duration_seconds is null and duration_text is not null then 'duration' when not (score between 0 and 1) then 'score'
  when not (progress between 0 and 1) then 'progress' end
{%- endmacro %}

{# What is kept of an event as it came, with the pseudonym in place of the learner. #}
{% macro payload() -%}
cast(json_object('event_id', event_id, 'event_type', event_type, 'learner_id', learner_id, 'course_id', course_id, 'activity_id', activity_id,
  'activity_type', activity_type, 'session_id', session_id, 'occurred_at', occurred_text,
  'duration_seconds', coalesce(try_cast(duration_text as json), to_json(duration_text)), 'score', try_cast(score_text as json),
  'progress', try_cast(progress_text as json), 'quantity', try_cast(quantity_text as json), 'attributes', attributes) as json)
{%- endmacro %}
