/** What becomes of questions that are wrong, that fail in the middle, and that take too long. */

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ROOT } from '../scripts/oclif-config.ts'
import { initPlace, lpa, lpaOk, type Place, removePlaces } from './faults/lpa.ts'

let place: Place
beforeAll(async () => {
  place = await initPlace('query')
})
afterAll(removePlaces)

const ENDLESS = 'with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n'
/** One call of a function that takes minutes, which the engine cannot interrupt. */
const UNSTOPPABLE = `select levenshtein(repeat('a', 500000), repeat('b', 500000))`

test.each([
  ['by --timeout', ['--timeout', '500ms'], {}, '500ms'],
  ['while the warehouse is opened', ['--timeout', '1ms'], {}, '1ms'],
  ['by the environment', [], { LPA_QUERY_TIMEOUT: '1s' }, '1s'],
])('a query that never ends is stopped %s', async (_, flags, env, limit) => {
  const ran = await lpa(place, ['query', '--sql', ENDLESS, ...flags, '--report', 'stopped.json'], { env })
  expect(ran).toMatchObject({ code: 65, stdout: '' })
  expect(ran.stderr).toMatch(new RegExp(`^Error: The question took longer than ${limit}\\.\n`))
  expect(ran.stderr).toContain('--timeout 1h')
  expect(ran.stderr).toContain('LPA-QUERY-TIMEOUT, exit 65\n')
  expect(ran.ms).toBeLessThan(10_000)
})

test.each([
  ['while it works on one value', "select length(printf('%2000000000d', 1))"],
  ['in a list', 'select list_reduce(range(1000000000), (x, y) -> x + y)'],
])('memory that the engine does not count ends a query: %s', async (_, sql) => {
  const ran = await lpa(place, ['query', '--sql', sql])
  expect([65, 143]).toContain(ran.code ?? 143)
  expect(ran.stderr).toMatch(/^Error: It needs more memory than the limit allows\./)
  expect(ran.ms).toBeLessThan(15_000)
})

test('what --write did is in the history of runs, what was only asked is not', async () => {
  const before = JSON.parse((await lpaOk(place, ['runs', '--json'])).stdout).length
  await lpaOk(place, ['query', '--sql', 'select 1'])
  await lpaOk(place, ['query', '--write', '--sql', 'delete from meta.checks'])
  const runs = JSON.parse((await lpaOk(place, ['runs', '--json'])).stdout)
  expect(runs).toHaveLength(before + 1)
  expect(runs[0]).toMatchObject({ command: 'query', exit_code: 0 })
})

test('rows that a table may not hold are told as such, and nothing is changed', async () => {
  const sql = 'insert into meta.erased (learner_id) values (null)'
  const ran = await lpa(place, ['query', '--write', '--sql', sql])
  expect(ran).toMatchObject({ code: 65, stderr: expect.stringContaining('LPA-QUERY-CONSTRAINT') })
  expect(ran.stderr).toContain('NOT NULL constraint failed')
  expect(ran.stderr).not.toContain('should not happen')
})

test('with --write it is rolled back', async () => {
  const before = await lpaOk(place, ['query', '--sql', 'select count(*) as n from dim_date', '--json'])
  const sql = `insert into dim_date (date_key) select i from (${ENDLESS.replace('count(*)', 'i')})`
  const ran = await lpa(place, ['query', '--write', '--timeout', '1s', '--sql', sql])
  expect(ran).toMatchObject({ code: 65, stderr: expect.stringContaining('LPA-QUERY-TIMEOUT') })
  const after = await lpaOk(place, ['query', '--sql', 'select count(*) as n from dim_date', '--json'])
  expect(after.stdout).toBe(before.stdout)
})

test('what cannot be interrupted is ended as SIGTERM would, and says why', async () => {
  const ran = await lpa(place, ['query', '--sql', UNSTOPPABLE, '--timeout', '3s'])
  expect(ran).toMatchObject({ code: null, signal: 'SIGTERM' })
  expect(ran.stderr).toContain('The question took longer than 3s.')
  expect(ran.stderr).toContain('LPA-QUERY-TIMEOUT, exit 143\n')
  expect(ran.ms).toBeLessThan(15_000)
})

test('a reader who takes his time is waited for', () => {
  const query = `"${process.execPath}" "${join(ROOT, 'bin', 'run.js')}" query --timeout 4s -q --format csv`
  // More than a pipe holds, so that lpa waits for its reader.
  const sql = `select i, repeat('x', 100) as text from range(300000) t(i)`
  const { stdout } = spawnSync(
    'bash',
    ['-c', `set -o pipefail; ${query} --sql "${sql}" | (sleep 6; wc -l); echo $?`],
    {
      cwd: place.root,
      encoding: 'utf8',
    },
  )
  expect(stdout.split(/\s+/).filter(Boolean)).toEqual(['300001', '0'])
})

test('a time that is none is refused', async () => {
  expect(await lpa(place, ['query', '--list', '--timeout', 'soon'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--timeout: query.timeout is "soon". It should be a number and a unit'),
  })
})

/** Fails when two thirds of a million of rows are printed. */
const LATE = `select cast(case when i = 2000000 then 'late' else cast(i as varchar) end as bigint) as n from range(3000000) t(i)`

test.each([
  ['a SELECT', [], 2, "Conversion Error: Could not convert string 'late' to INT64"],
  ['with --write', ['--write'], 65, 'The statement failed after some of its rows.'],
])('rows that fail in the middle do not end as if they were all: %s', async (_, flags, code, words) => {
  const ran = await lpa(place, ['query', '--format', 'csv', '--sql', LATE, ...flags])
  expect(ran.code).toBe(code)
  expect(ran.stderr).toContain(`Error: ${words}\n`)
  expect(ran.stdout.split('\n').length).toBeGreaterThan(100_000)
})

test('a query that is stopped in the middle of its rows does not end as if they were all', async () => {
  const sql = 'select i from range(3000000000) t(i)'
  const ran = await lpa(place, ['query', '--format', 'csv', '--sql', sql, '--timeout', '1s'])
  expect(ran).toMatchObject({ code: 65, stderr: expect.stringContaining('LPA-QUERY-TIMEOUT') })
})

test.each([
  [
    'a parameter that the SQL does not name',
    ['--sql', 'select 1', '--param', 'x=1'],
    'The SQL names no parameter "x".\n  It names none',
  ],
  [
    'a misspelt parameter',
    ['--sql', 'select $days', '--param', 'dyas=1'],
    'The SQL names no parameter "dyas".\n  Did you mean days?\n  It names: days.\n',
  ],
  [
    'one that is not given',
    ['--sql', 'select $days'],
    'The SQL names a parameter that is not given: days.\n  Give it: --param days=…\n',
  ],
  [
    'an export of SQL that is wrong',
    ['--format', 'parquet', '--sql', 'select nope'],
    'Binder Error: Referenced column "nope"',
  ],
  ['no SQL', ['--sql', ' ; '], 'There is no question: the SQL is empty.\n'],
  ['an empty standard input', ['--file', '-'], 'There is no question: the SQL is empty.\n'],
])('a wrong command line: %s', async (_, args, words) => {
  const ran = await lpa(place, ['query', ...args], { stdin: '' })
  expect(ran).toMatchObject({ code: 2, stdout: '' })
  expect(ran.stderr).toContain(`Error: ${words}`)
})

test('a misspelt model is told with the nearest', async () => {
  expect(await lpa(place, ['batch', '--select', 'dim_cours'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(
      'Error: There is no model "dim_cours".\n  Did you mean dim_course?\n  There are: ',
    ),
  })
})

test('a misspelt entity is told with the nearest', async () => {
  writeFileSync(join(place.root, 'learners.csv'), 'learner_id\nS1\n')
  expect(await lpa(place, ['load', 'learners.csv', '--as', 'lerner'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(
      'Error: There is no entity "lerner".\n  Did you mean learner?\n  There are: ',
    ),
  })
})

test('a day is its end, and states that cannot be read are told from those that can', async () => {
  const today = new Date().toISOString().slice(0, 10)
  const sql = ['query', '--json', '--sql', 'select count(*) as n from fact_enrollment']
  const ran = await lpa(place, [...sql, '--at', today])
  expect(ran).toMatchObject({ code: 0, stdout: '[\n{"n":0}\n]\n' })
  // The first snapshots have no schemas, later ones no tables yet.
  for (const at of ['1', '4', '2001-01-01']) {
    const { code, stderr } = await lpa(place, [...sql, '--at', at])
    const [, first] = /There are versions (\d+) to \d+, of \d{4}-/.exec(stderr) ?? []
    expect({ code, first: Number(first) > 4 }).toEqual({ code: 2, first: true })
    expect(await lpa(place, [...sql, '--at', String(first)])).toMatchObject({ code: 0 })
  }
})

test('a course that the warehouse does not have is told from one without learners', async () => {
  const insert = `insert into dim_course by name select 42 as course_key, 'BIO101' as course_id, 0 as category_key, 0 as instructor_key, true as is_current, timestamptz '0001-01-01' as valid_from, timestamptz '9999-12-31' as valid_to`
  await lpaOk(place, ['query', '--write', '--sql', insert])
  const unknown = await lpa(place, ['query', 'funnel', '-q', '--param', 'course=BIO11'])
  expect(unknown).toMatchObject({
    code: 0,
    stderr: 'Warning: There is no course "BIO11".\n  Did you mean BIO101?\n',
  })
  expect(await lpa(place, ['query', 'funnel', '-q', '--param', 'course=BIO101'])).toMatchObject({
    stderr: '',
  })
  expect(await lpa(place, ['query', 'retention', '-q', '--param', 'cohort=2020-W01'])).toMatchObject({
    ...{ code: 0, stderr: 'Warning: There is no cohort "2020-W01".\n' },
  })
})
