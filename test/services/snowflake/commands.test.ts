/** A working day of lpa on Snowflake, by its commands: load, batch, query in every format, runs, rejects, doctor. */

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { FORMATS } from '../../../src/output.ts'
import { describeLpaOnSnowflake, LpaPlace } from './lpa-place.ts'
import { wrongStatements } from './statements.ts'

const CAMPUS = fileURLToPath(new URL('../../../fixtures/campus', import.meta.url))
/** csv, json and ndjson.gz, of the campus' own format and of xAPI; some records are bad. */
const FILES = [
  'courses.json',
  'enrollments.csv',
  'instructors.csv',
  'learners.csv',
  'xapi-statements.ndjson.gz',
]
const AT_ONCE = 8
/** A user's: Snowflake says what it is. */
const NO_SQL = /^select from where/

describeLpaOnSnowflake('lpa on Snowflake', () => {
  let place: LpaPlace
  beforeAll(async () => {
    place = await LpaPlace.create('[load]\nmax_rejects = "5%"')
    mkdirSync(join(place.folder.root, 'exports'))
    for (const file of FILES) copyFileSync(join(CAMPUS, file), join(place.folder.root, 'exports', file))
    await place.lpaOk(['schema', 'apply', '--quiet'])
  })
  afterAll(() => place?.[Symbol.asyncDispose]())

  const query = (sql: string, ...more: readonly string[]) => place.lpa(['query', '--sql', sql, ...more])
  const counts = async () =>
    (
      await place.sql(
        'select (select count(*) from meta.loads), (select count(*) from staging.stg_enrollment), (select count(*) from raw.rejected_rows)',
      )
    ).rows[0]?.map(Number)

  // ── load ────────────────────────────────────────────────────────────────────────────────────────────────

  test('load --dry-run checks, and commits nothing', async () => {
    const files = await place.json<readonly object[]>(['load', 'exports', '--dry-run'])
    expect(files.map((file) => (file as { outcome: string }).outcome)).toEqual(FILES.map(() => 'checked'))
    expect(await counts()).toEqual([0, 0, 0])
  })

  test('load brings rows, rejected rows and the ledger together', async () => {
    const ran = await place.lpaOk(['load', 'exports', '--source', 'lms'])
    expect(ran.stderr).toContain('enrollments.csv:593: price_amount is not a number (2 ×, quarantined)\n')
    expect(ran.stderr).toMatch(/\nlpa load: 5 files: 2,238 records mapped, 12 rejected \(/)
    expect(await counts()).toEqual([5, 1500, 12])
    const sums = 'select sum(records_mapped), sum(records_rejected), sum(records_filtered) from meta.loads'
    expect((await place.sql(sums)).rows).toEqual([[2238, 12, 0]])
  })

  test('load of the same again changes nothing', async () => {
    const before = await counts()
    const ran = await place.lpaOk(['load', 'exports', '--source', 'lms'])
    expect(ran.stderr).toMatch(/^lpa load: 5 files loaded before, nothing changed/)
    expect(await counts()).toEqual(before)
  })

  test('load of a newer snapshot takes the place of the older one', async () => {
    const path = join(place.folder.root, 'exports', 'instructors.csv')
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
    writeFileSync(path, `${lines.slice(0, -1).join('\n')}\n`)
    const ran = await place.lpaOk(['load', 'exports/instructors.csv', '--source', 'lms'])
    expect(ran.stderr).toMatch(/^exports\/instructors\.csv: replaces load \d+\n/)
    expect(Number(await place.value('select count(*) from staging.stg_instructor'))).toBe(lines.length - 2)
    expect(await place.value('select count(*) from meta.loads where superseded_by is not null')).toBe(1)
  })

  test('load stops at too many rejected records, and at a file that is none', async () => {
    const before = await counts()
    place.write(
      'bad.csv',
      'course_id,course_title,updated_at\nC1,One,yesterday\nC2,Two,2026-01-01T00:00:00Z\n',
    )
    const tooMany = await place.lpa(['load', 'bad.csv'])
    expect(tooMany).toMatchObject({ code: 65, stderr: expect.stringContaining('bad.csv') })
    expect(await place.lpa(['load', 'nothing.csv'])).toMatchObject({ code: 66 })
    expect(await counts()).toEqual(before)
  })

  test('load of one file by eight at once counts once', async () => {
    const rows = Array.from({ length: 100 }, (_, row) => `E${row},S${row},C1,2026-01-01T00:00:00Z,active`)
    place.write('at-once.csv', `enrollment_id,learner_id,course_id,enrolled_at,status\n${rows.join('\n')}\n`)
    const [loads = 0, enrollments = 0] = (await counts()) ?? []
    const args = ['load', 'at-once.csv', '--source', 'lms', '--json', '--lock-wait', '5m']
    const all = await Promise.all(Array.from({ length: AT_ONCE }, () => place.lpaOk(args)))
    const outcomes = all.map(({ stdout }) => JSON.parse(stdout)[0].outcome).sort()
    expect(outcomes).toEqual(['loaded', ...Array(AT_ONCE - 1).fill('unchanged')])
    expect((await counts())?.slice(0, 2)).toEqual([loads + 1, enrollments + 100])
    expect((await place.sql('list @meta.staged_files')).rows).toEqual([])
  })

  // ── batch ───────────────────────────────────────────────────────────────────────────────────────────────

  test('batch builds in full, then nothing, then what is new', async () => {
    const first = await place.lpaOk(['batch'])
    // These exports have no completions.
    expect(first.stderr).toMatch(
      /lpa batch: 6 loads built \(full\), 1 of \d+ checks found something: completed-without-completion/,
    )
    const again = await place.lpaOk(['batch'])
    expect(again.stdout).toBe('')
    expect(again.stderr).toMatch(/core holds every load already, nothing changed/)
    place.write(
      'new.csv',
      'enrollment_id,learner_id,course_id,enrolled_at,status\nNEW,S999,C1,2026-02-01T00:00:00Z,active\n',
    )
    await place.lpaOk(['load', 'new.csv', '--source', 'lms', '--quiet'])
    const later = await place.json<readonly { readonly table: string; readonly rows: number }[]>(['batch'])
    expect(later).toContainEqual(expect.objectContaining({ table: 'fact_enrollment', rows: 1 }))
    const selected = await place.json<readonly { readonly table: string }[]>([
      'batch',
      '--select',
      'dim_course',
    ])
    expect(selected.map(({ table }) => table)).toEqual(['dim_course'])
  })

  // ── query ───────────────────────────────────────────────────────────────────────────────────────────────

  test.each(FORMATS)('query --format %s', async (format) => {
    const ran = await place.lpaOk(['query', 'funnel', '--format', format, '--quiet'])
    const expected: Record<(typeof FORMATS)[number], RegExp> = {
      table: /^\+-.*\n\| step_no \| step {6}\|/,
      json: /^\[\n\{"step_no":1,"step":"enrolled","pairs":\d+,"of_enrolled_percent":100,"of_step_before_percent":null\},\n/,
      ndjson: /^\{"step_no":1,[^\n]*\}\n\{"step_no":2,/,
      csv: /^step_no,step,pairs,of_enrolled_percent,of_step_before_percent\r?\n1,enrolled,\d+,100,\r?\n/,
      markdown: /^\| step_no \| step/,
      parquet: /^PAR1/,
      chart: /\nenrolled {2}#+ 1611 100%\n/,
    }
    expect(ran.stdout).toMatch(expected[format])
  })

  test('query takes parameters, of a report and of one’s own SQL', async () => {
    const [course] = await place.json<readonly Record<string, unknown>[]>([
      'query',
      '--sql',
      'select course_id from course order by 1 limit 1',
    ])
    const args = ['query', 'enrollments', '--param', 'since=2026-03-01', '--param', 'until=2026-03-02']
    expect(await place.json<readonly { readonly day: string }[]>(args)).toMatchObject([
      { day: '2026-03-01' },
      { day: '2026-03-02' },
    ])
    const own = [
      'query',
      '--sql',
      'select course_id from course where course_id = $wanted',
      '--param',
      `wanted=${course?.course_id}`,
    ]
    expect(await place.json(own)).toEqual([course])
    const unknown = await place.lpaOk(['query', 'funnel', '--param', 'course=NONE'])
    expect(unknown.stderr).toContain('There is no course "NONE".')
  })

  test('query gives every type of value as it is', async () => {
    const sql = `select 9007199254740993 as n, 1.50::number(9,2) as d, 0.1::float as f, true as b, '2026-01-12'::date as day,
      '2026-01-12 08:13:22.120'::timestamp_ntz as at, parse_json('{"a": [1, "x y"]}') as j, 'ü"' as t, null as nothing`
    expect((await query(sql, '--format', 'ndjson', '--quiet')).stdout).toBe(
      '{"n":9007199254740993,"d":1.50,"f":0.1,"b":true,"day":"2026-01-12","at":"2026-01-12T08:13:22.12Z","j":{"a":[1,"x y"]},"t":"ü\\"","nothing":null}\n',
    )
  })

  test('query answers as the warehouse was', async (context) => {
    const at = new Date(Date.now() - 1000).toISOString()
    const ran = await place.lpaOk(['query', 'funnel', '--at', at, '--json', '--quiet'])
    const sent = (await place.database?.statements())?.at(-1)?.sql
    expect(JSON.parse(ran.stdout)).toHaveLength(5)
    expect(await place.lpa(['query', 'funnel', '--at', '12'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--at 2026-'),
    })
    // The emulator has no past: it answers of now, and its log says what was asked.
    place.emulated(context)
    const clause = `at (timestamp => '${at.replace('Z', '+00:00')}'::timestamp_tz)`
    expect(sent).toContain(`from fact_enrollment ${clause} e`)
  })

  test.each([
    ['an unknown table', 'select * from no_such_table', 2, 'Tables: fact_enrollment'],
    ['an unknown column', 'select nothing from course', 2, 'NOTHING'],
    ['what is no SQL', 'select from where', 2, 'LPA-QUERY-SQL'],
    ['two statements', 'select 1; delete from course', 77, 'more than one statement'],
    ['an INSERT', `insert into meta.runs select * from meta.runs`, 77, 'INSERT is not a SELECT'],
    ['a CALL', 'call drop_all()', 77, 'CALL is not a SELECT'],
    ['a function of the system', `select system$abort_session(1)`, 77, 'system$abort_session'],
    ['a sequence', 'select meta.load_ids.nextval', 77, 'sequence'],
    ['a parameter that is not given', 'select $days', 2, '--param days='],
  ])('query refuses %s in words to act on', async (_, sql, code, words) => {
    const ran = await query(sql)
    expect(ran).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(words) })
  })

  test('export writes of one state what the warehouse has', async () => {
    const written = await place.json<{
      readonly tables: readonly { readonly table: string; readonly rows: number }[]
    }>(['export', 'out'])
    expect(written.tables).toHaveLength(12)
    for (const { table, rows } of written.tables)
      expect(rows, table).toBe(await place.value(`select count(*) from ${table}`))
    const { resources } = JSON.parse(readFileSync(join(place.folder.root, 'out', 'datapackage.json'), 'utf8'))
    const types = resources[4].schema.fields.map(({ type }: { type: string }) => type)
    expect(types).toEqual(
      expect.arrayContaining(['integer', 'string', 'number', 'date', 'datetime', 'boolean']),
    )
  })

  test('query --write changes the warehouse in one transaction, and is in the history', async () => {
    await place.lpaOk(['query', '--write', '--sql', `delete from meta.checks where check_name = 'one-key'`])
    expect(await place.value(`select count(*) from meta.checks where check_name = 'one-key'`)).toBe(0)
    const runs = await place.json<readonly object[]>(['runs'])
    expect(runs[0]).toMatchObject({ command: 'query', exit_code: 0 })
  })

  // ── what was done ───────────────────────────────────────────────────────────────────────────────────────

  test('runs tells what was done, also what failed', async () => {
    interface Run {
      readonly run_id: string
      readonly command: string
      readonly exit_code: number
    }
    const runs = await place.json<readonly Run[]>(['runs', '--limit', '100'])
    const told = runs.map(({ command, exit_code }) => `${command} ${exit_code}`)
    expect(told.filter((line) => line === 'load 65' || line === 'load 66')).toHaveLength(2)
    expect(told.filter((line) => line === 'batch 0')).toHaveLength(4)
    expect(told.at(-1)).toBe('schema apply 0')
    const load = runs.findLast(({ command, exit_code }) => command === 'load' && exit_code === 0)
    const shown = await place.json(['runs', 'show', load?.run_id ?? ''])
    expect(shown).toMatchObject({ command: 'load' })
    expect(await place.lpa(['runs', 'show', 'no-such-run'])).toMatchObject({ code: 2 })
  })

  test('rejects tells what was left out, where and why', async () => {
    const [most] = await place.json<readonly { readonly source: string }[]>(['rejects'])
    expect(most).toMatchObject({ source: 'lms' })
    const listed = await place.json<readonly Record<string, unknown>[]>(['rejects', 'list', '--limit', '100'])
    expect(listed).toHaveLength(12)
    const [first] = listed
    const shown = await place.lpaOk(['rejects', 'show', String(first?.load_id), String(first?.position)])
    expect(shown.stdout).toContain(String(first?.reason))
  })

  test('doctor finds nothing wrong, and tells where it is', async () => {
    const ran = await place.lpaOk(['doctor'])
    expect(ran.stdout).toContain('Nothing is wrong.')
    expect(ran.stdout).toMatch(/warehouse\.engine +snowflake \(lpa\.toml:\d+ \(profile prod\)\)/)
    expect(ran.stdout).toMatch(/schema +up to date\n/)
    expect(ran.stdout).toMatch(/core\.fact_enrollment +clustered by enrolled_date_key, course_key\n/)
  })

  test('was sent as Snowflake’s SQL', async (context) => {
    expect(await wrongStatements(place.emulated(context), NO_SQL)).toEqual([])
  })
})
