/**
 * The main job in plain DuckDB, as a careful engineer would write it by hand for these very files: nothing is
 * general, nothing is checked that the data does not need, nothing survives a crash half-way.
 *
 *   same-work      raw, staging, rejects, HMACs, keys, doubles, dimensions, facts, aggregate, clustering: what lpa leaves
 *   bare-minimum   dimensions and facts only
 *
 * usage: node plain-duckdb.ts same-work|bare-minimum EXPORTS WAREHOUSE
 * Writes what it found as one line of JSON.
 */

import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { DuckDBInstance } from '@duckdb/node-api'
import { ensureExtensions } from '../../src/engines/duckdb/extensions.ts'

const [kind, exports, warehouse] = process.argv.slice(2) as [string, string, string]
const extensions = await ensureExtensions()
rmSync(warehouse, { recursive: true, force: true })
mkdirSync(warehouse, { recursive: true })
const instance = await DuckDBInstance.create(':memory:', { allow_unsigned_extensions: 'true' })
const connection = await instance.connect()
async function run(sql: string): Promise<void> {
  const began = performance.now()
  await connection.run(sql)
  const took = performance.now() - began
  if (process.env.BENCH_VERBOSE && took > 100) {
    process.stderr.write(`${(took / 1000).toFixed(2)} s  ${sql.replace(/\s+/g, ' ').slice(0, 90)}\n`)
  }
}

await run(`set memory_limit = '600MB'; set temp_directory = '${warehouse}/spill'; set timezone = 'UTC'`)
await run(`load '${extensions.ducklake}'; load '${extensions.sqliteScanner}'`)
await run(
  `attach 'ducklake:sqlite:${warehouse}/catalog.sqlite' as lake (data_path '${warehouse}/data', meta_journal_mode 'WAL')`,
)
await run(`use lake; call lake.set_option('parquet_compression', 'zstd')`)
const key = 'k'.repeat(32)
const pad = (byte: number) =>
  Buffer.from([...Buffer.from(key.padEnd(64, '\0'))].map((value) => value ^ byte)).toString('hex')
await run(`set variable inner_pad = unhex('${pad(0x36)}'); set variable outer_pad = unhex('${pad(0x5c)}')`)
await run(
  `create temp macro hmac(m) as sha256(getvariable('outer_pad') || unhex(sha256(getvariable('inner_pad') || encode(m))))`,
)
await run(`create temp macro learner(id) as hmac('lpa:v1:learner:campus:' || trim(id))`)
await run(`create temp macro person_key(p) as cast('0x' || substr(p, 1, 15) as bigint)`)
await run(
  `create temp macro id_key(kind, id) as cast('0x' || substr(sha256('lpa:' || kind || ':campus:' || id), 1, 15) as bigint)`,
)
await run(`create temp macro date_key(t) as cast(year(t) * 10000 + month(t) * 100 + day(t) as integer)`)
await run(`create temp macro ts(t) as cast(try_cast(t as timestamptz) at time zone 'UTC' as timestamp)`)

const csv = (name: string) =>
  `read_csv('${exports}/${name}.csv', header = true, all_varchar = true, delim = ',', quote = '"', escape = '"', auto_detect = true, null_padding = false, ignore_errors = true)`
const lines = `read_csv('${exports}/events.ndjson', columns = {'line': 'VARCHAR'}, delim = '', quote = '', escape = '', header = false, auto_detect = false, strict_mode = false)`
const fields = [
  'event_id',
  'event_type',
  'learner_id',
  'course_id',
  'activity_id',
  'activity_type',
  'session_id',
  'occurred_at',
  'duration_seconds',
  'score',
  'progress',
  'quantity',
]
const shape = JSON.stringify({
  ...Object.fromEntries(fields.map((name) => [name, 'VARCHAR'])),
  attributes: 'JSON',
})
const parsed = `select r.*, ok from (select ok, case when ok then json_transform(line, '${shape}') end as r
  from (select line, json_valid(line) as ok from ${lines} where line <> ''))`

const eventFact = `(event_id varchar, learner_key bigint, course_key bigint, date_key integer, occurred_at timestamp, event_type varchar,
  activity_id varchar, activity_type varchar, session_id varchar, duration_seconds double, score double, progress double, quantity double, attributes json)`
const eventColumns = `activity_id, activity_type, session_id, duration_seconds, score, progress, quantity`

async function sameWork(): Promise<void> {
  // The rosters.
  await run(`create table stg_learner as select learner(learner_id) as learner_id, person_key(learner(learner_id)) as learner_key,
    hmac('lpa:v1:email::' || translate(trim(email), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')) as email_hash,
    country, region, try_cast(substr(birth_date, 1, 4) as int) as birth_year, gender, education_level,
    try_cast(signed_up_on as date) as signed_up_on, plan, ts(updated_at) as effective_at from ${csv('learners')}`)
  await run(`create table stg_course_category as select category_id, id_key('category', category_id) as category_key, category_name,
    id_key('category', parent_category_id) as parent_category_key from ${csv('categories')}`)
  await run(
    `create table stg_instructor as select hmac('lpa:v1:instructor:campus:' || instructor_id) as instructor_id, display_name, department from ${csv('instructors')}`,
  )
  await run(`create table stg_course as select *, id_key('course', course_id) as course_key, id_key('category', category_id) as category_key,
    person_key(hmac('lpa:v1:instructor:campus:' || instructor_id)) as instructor_key from read_json('${exports}/courses.json', format = 'array')`)
  await run(`create table stg_enrollment as select enrollment_id, learner(learner_id) as learner_id, person_key(learner(learner_id)) as learner_key,
    course_id, id_key('course', course_id) as course_key, ts(enrolled_at) as enrolled_at, status, mode, ts(withdrawn_at) as withdrawn_at,
    try_cast(price_amount as decimal(12, 2)) as price_amount, price_currency, ts(updated_at) as effective_at from ${csv('enrollments')}`)
  await run(`create table stg_course_completion as select learner(learner_id) as learner_id, person_key(learner(learner_id)) as learner_key, course_id,
    id_key('course', course_id) as course_key, ts(completed_at) as completed_at, try_cast(final_score as double) as final_score, grade,
    try_cast(passed as boolean) as passed from ${csv('completions')}`)
  // Events: one pass over the text, everything else from Parquet.
  await run(`create table stg_all as select event_id, event_type, learner(learner_id) as learner_id, course_id, activity_id, activity_type, session_id,
    occurred_at as occurred_text, ts(occurred_at) as occurred_at, duration_seconds as duration_text, try_cast(duration_seconds as double) as duration_seconds,
    score as score_text, try_cast(score as double) as score, progress as progress_text, try_cast(progress as double) as progress, quantity as quantity_text,
    coalesce(try_cast(quantity as double), 1) as quantity, attributes, ok from (${parsed})`)
  const fault = `case when not ok then 'json' when event_id is null then 'event_id' when learner_id is null then 'learner_id' when occurred_at is null then 'occurred_at'
    when duration_seconds is null and duration_text is not null then 'duration' when not (score between 0 and 1) then 'score' when not (progress between 0 and 1) then 'progress' end`
  const member = (name: string, value: string) => `',"${name}":' || ${value}`
  const payload = `'{' || substr(concat(${[
    ...[
      'event_id',
      'event_type',
      'learner_id',
      'course_id',
      'activity_id',
      'activity_type',
      'session_id',
    ].map((name) => member(name, `to_json(${name})::varchar`)),
    member('occurred_at', 'to_json(occurred_text)::varchar'),
    ...['duration', 'score', 'progress', 'quantity'].map((name) =>
      member(
        name,
        `coalesce(cast(try_cast(${name}_text as json) as varchar), cast(to_json(${name}_text) as varchar))`,
      ),
    ),
    member('attributes', 'attributes::varchar'),
  ].join(', ')}), 2) || '}'`
  await run(
    `create table rejected as select event_id, ${fault} as reason, cast(case when ok then ${payload} end as json) as payload from stg_all where ${fault} is not null`,
  )
  await run(
    `create table raw_learning_events as select cast(${payload} as json) as payload from stg_all where ${fault} is null`,
  )
  await run(
    `create temp table twice as select event_id from stg_all where event_id is not null group by event_id having count(*) > 1`,
  )
  await run(`create table stg_learning_event as select event_id, learner_id, person_key(learner_id) as learner_key, course_id,
    coalesce(id_key('course', course_id), 0) as course_key, date_key(occurred_at) as date_key, occurred_at, event_type, ${eventColumns}, attributes
    from stg_all s where ${fault} is null and not exists (select 1 from twice t where t.event_id = s.event_id)
    union all (select event_id, learner_id, person_key(learner_id), course_id, coalesce(id_key('course', course_id), 0), date_key(occurred_at), occurred_at,
      event_type, ${eventColumns}, attributes from stg_all s where ${fault} is null and exists (select 1 from twice t where t.event_id = s.event_id)
      qualify row_number() over (partition by event_id) = 1)`)
  await run('drop table stg_all')
  await core(
    `select event_id, learner_key, course_key, date_key, occurred_at, event_type, ${eventColumns}, attributes from stg_learning_event`,
  )
  await run(`create table agg_course_day as
    select course_key, date_key, count(distinct learner_key) as active_learners, count(*) as events, sum(quantity) as event_quantity,
      sum(case when gap <= 1800000 then gap else 0 end) / 1000 as time_on_task_seconds
    from (select *, epoch_ms(lead(occurred_at) over (partition by course_key, learner_key order by occurred_at, event_id)) - epoch_ms(occurred_at) as gap
      from fact_learning_event) group by course_key, date_key`)
}

async function core(events: string): Promise<void> {
  await run(`create table dim_learner as select *, timestamp '0001-01-01' as valid_from, timestamp '9999-12-31' as valid_to, true as is_current from stg_learner
    qualify row_number() over (partition by learner_key order by effective_at desc) = 1`)
  await run(`create table dim_course as select *, timestamp '0001-01-01' as valid_from, timestamp '9999-12-31' as valid_to, true as is_current from stg_course
    qualify row_number() over (partition by course_key order by updated_at desc) = 1`)
  await run(`create table dim_course_category as select * from stg_course_category`)
  await run(
    `create table dim_instructor as select person_key(instructor_id) as instructor_key, * from stg_instructor`,
  )
  await run(`create table fact_enrollment (enrollment_id varchar, learner_key bigint, course_key bigint, attempt integer, enrolled_date_key integer, enrolled_at timestamp,
    status varchar, mode varchar, withdrawn_date_key integer, withdrawn_at timestamp, price_amount decimal(12, 2), price_currency varchar)`)
  await cluster('fact_enrollment', 'enrolled_date_key', 'enrolled_at')
  await run(`insert into fact_enrollment select enrollment_id, learner_key, course_key, row_number() over (partition by learner_key, course_key order by enrolled_at),
    date_key(enrolled_at), enrolled_at, status, mode, date_key(withdrawn_at), withdrawn_at, price_amount, price_currency
    from (select * from stg_enrollment where learner_key is not null and enrolled_at is not null
      qualify row_number() over (partition by enrollment_id order by effective_at desc) = 1)`)
  await run(`create table fact_course_completion (learner_key bigint, course_key bigint, completed_date_key integer, completed_at timestamp, final_score double, grade varchar,
    passed boolean, days_to_complete integer)`)
  await cluster('fact_course_completion', 'completed_date_key', 'completed_at')
  await run(`insert into fact_course_completion select c.learner_key, c.course_key, date_key(c.completed_at), c.completed_at, c.final_score, c.grade, c.passed,
    date_diff('day', e.enrolled_at::date, c.completed_at::date) from (select * from stg_course_completion
      qualify row_number() over (partition by learner_key, course_key order by completed_at) = 1) c
    left join (select learner_key, course_key, min(enrolled_at) as enrolled_at from fact_enrollment group by all) e
      on e.learner_key = c.learner_key and e.course_key = c.course_key`)
  await run(`create table fact_learning_event ${eventFact}`)
  await cluster('fact_learning_event', 'date_key', 'occurred_at')
  await run(`insert into fact_learning_event ${events}`)
}

async function cluster(table: string, dateKey: string, at: string): Promise<void> {
  await run(`alter table ${table} set sorted by (${dateKey}, course_key)`)
  await run(`alter table ${table} set partitioned by (year(${at}), month(${at}))`)
}

async function bareMinimum(): Promise<void> {
  // Facts straight from the text: no staging, no raw, no rejects, no doubles, attributes left out, no clustering.
  await run(
    `create table dim_learner as select person_key(learner(learner_id)) as learner_key, country, region, gender, education_level from ${csv('learners')}`,
  )
  await run(
    `create table dim_course as select id_key('course', course_id) as course_key, * from read_json('${exports}/courses.json', format = 'array')`,
  )
  await run(`create table dim_course_category as select * from ${csv('categories')}`)
  await run(`create table dim_instructor as select * from ${csv('instructors')}`)
  await run(`create table fact_enrollment as select enrollment_id, person_key(learner(learner_id)) as learner_key, id_key('course', course_id) as course_key,
    date_key(ts(enrolled_at)) as enrolled_date_key, ts(enrolled_at) as enrolled_at, status, mode, ts(withdrawn_at) as withdrawn_at,
    try_cast(price_amount as decimal(12, 2)) as price_amount from ${csv('enrollments')}`)
  await run(`create table fact_course_completion as select person_key(learner(learner_id)) as learner_key, id_key('course', course_id) as course_key,
    min(ts(completed_at)) as completed_at from ${csv('completions')} group by all`)
  await run(`create table fact_learning_event as select event_id, person_key(learner(learner_id)) as learner_key, id_key('course', course_id) as course_key,
    date_key(ts(occurred_at)) as date_key, ts(occurred_at) as occurred_at, event_type, activity_id, activity_type, session_id,
    try_cast(duration_seconds as double) as duration_seconds, try_cast(score as double) as score, try_cast(progress as double) as progress, attributes
    from (${parsed}) where ok`)
}

await (kind === 'same-work' ? sameWork() : bareMinimum())
if (kind === 'bare-minimum') await run('create view rejected as select 1 where false')
const answer = readFileSync(new URL('answer.sql', import.meta.url), 'utf8')
const [row] = await (await connection.runAndReadAll(answer)).getRowsJson()
process.stdout.write(`${row}\n`)
