/** init, schema, runs, rejects, key and doctor as they are typed, one after the other in one folder. */

import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'

const ENTRY = fileURLToPath(new URL('../bin/run.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'lpa-book-keeping-'))
afterAll(() => rmSync(folder, { recursive: true }))

function lpa(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [ENTRY, ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: process.env.HOME, LANG: 'C.UTF-8' },
  })
  return { code: status, stdout, stderr }
}

const json = (...args: readonly string[]) => JSON.parse(lpa(...args, '--json').stdout)

test('init begins, and keeps what is there', () => {
  const { code, stdout, stderr } = lpa('init')
  expect(code).toBe(0)
  expect(stdout).toBe('created lpa.toml\ncreated pseudonym.key\ncreated .gitignore\n')
  expect(stderr).toContain('Back the key up')
  const key = readFileSync(join(folder, 'pseudonym.key'), 'utf8')
  expect(lpa('init').stdout).toBe('kept    lpa.toml\nkept    pseudonym.key\nkept    .gitignore\n')
  expect(readFileSync(join(folder, 'pseudonym.key'), 'utf8')).toBe(key)

  // From here on in another zone: instants stay UTC, or a run would not find its loads.
  const file = join(folder, 'lpa.toml')
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace('timezone = "UTC"', 'timezone = "Asia/Tokyo"'))
  expect(readFileSync(file, 'utf8')).not.toBe(text)
})

test('key show tells the id, never the key', () => {
  const secret = readFileSync(join(folder, 'pseudonym.key'), 'utf8').trim()
  const { code, stdout } = lpa('key', 'show')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^key_id {2}[0-9a-f]{16}$/m)
  expect(stdout).not.toContain(secret.slice(0, 16))
})

test('without a warehouse the schema can be planned, not asked', () => {
  expect(lpa('schema', 'status')).toMatchObject({
    code: 66,
    stderr: expect.stringContaining('lpa schema apply'),
  })
  const { code, stdout } = lpa('schema', 'plan', '--out', 'plan.json')
  expect(code).toBe(0)
  expect(stdout).toContain('create table core.fact_learning_event\n')
  // Nothing was made by asking.
  expect(lpa('schema', 'status').code).toBe(66)
})

test('a saved plan is applied once; then it is stale', () => {
  const applied = json('schema', 'apply', 'plan.json')
  expect(applied.steps).toEqual(JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8')).steps)
  expect(lpa('schema', 'apply', 'plan.json')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('LPA-SCHEMA-STALE'),
  })
  expect(lpa('schema', 'apply', 'lpa.toml')).toMatchObject({ code: 65 })
  expect(lpa('schema', 'apply', 'nowhere.json')).toMatchObject({ code: 66 })
})

test('applying again does nothing and says so', () => {
  const { code, stdout } = lpa('schema', 'apply')
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'Nothing to do: the schema is up to date.\n' })
  const status = lpa('schema', 'status')
  expect(status.code).toBe(0)
  expect(status.stdout).toMatch(/^applied 0000_base at 20\S+Z \(SHA-256 [0-9a-f]{12}…\)\nNothing to do/)
})

test('what was loaded and what was not is found again by run, load, file and line', () => {
  writeFileSync(
    join(folder, 'completions.csv'),
    `learner_id,course_id,completed_at,final_score,grade,passed
L1,CS101,2026-01-12T08:00:00Z,0.9,A,true
L2,CS101,not a time,0.8,B,true
L3,CS101,2026-01-13T08:00:00Z,much,C,true
`,
  )
  expect(lpa('load', 'completions.csv', '--max-rejects', '50%')).toMatchObject({
    code: 65,
    // What would allow it, not what would not.
    stderr: expect.stringContaining('--max-rejects 2\n'),
  })
  expect(lpa('load', 'completions.csv', '--max-rejects', '2').code).toBe(0)

  const runs = json('runs')
  expect(runs.map(({ command, exit_code }: Record<string, unknown>) => [command, exit_code])).toEqual([
    ['load', 0],
    ['load', 65],
    ['schema apply', 0],
    ['schema apply', 1],
    ['schema apply', 0],
  ])
  expect(json('runs', '--limit', '1')).toHaveLength(1)
  const run = json('runs', 'show', runs[0].run_id)
  expect(run).toMatchObject({
    run_id: runs[0].run_id,
    arguments: 'completions.csv --max-rejects 2',
    loads: [{ source: 'files', read: 3, mapped: 1, rejected: 2 }],
  })
  expect(json('runs', 'show', runs[1].run_id).loads).toEqual([])
  expect(lpa('runs', 'show', runs[0].run_id).stdout).toMatch(/^run_id +20\d{6}-\d{6}-[0-9a-f]{6}\n/)
  expect(lpa('runs', 'show', 'nonesuch').code).toBe(2)

  const counted = json('rejects')
  expect(counted.map(({ column_name, records }: Record<string, unknown>) => [column_name, records])).toEqual([
    ['completed_at', 1],
    ['final_score', 1],
  ])
  const list = json('rejects', 'list')
  expect(list.map(({ position }: Record<string, unknown>) => position)).toEqual([
    'completions.csv:3',
    'completions.csv:4',
  ])
  expect(json('rejects', 'list', '--reason', list[1].reason_code)).toEqual([list[1]])
  expect(json('rejects', 'list', '--source', 'nobody')).toEqual([])
  const { load_id } = list[0]
  expect(json('rejects', 'show', String(load_id), 'completions.csv:3')).toMatchObject([list[0]])
  expect(json('rejects', 'show', String(load_id), '3')).toMatchObject([list[0]])
  expect(lpa('rejects', 'show', String(load_id), '1').code).toBe(2)
  const shown = lpa('rejects', 'show', String(load_id), '3').stdout
  expect(shown).toContain('"completed_at":"not a time"')
  // The person's id was hashed before the record was rejected.
  expect(shown).not.toMatch(/\bL2\b/)
})

test('load --lineage tells of the source, and of each table how many rows went to it', () => {
  writeFileSync(
    join(folder, 'courses.sql'),
    `-- entity: course
-- export: delta
-- not-personal: id
select id as course_id, title as course_title, gone as deleted from source
`,
  )
  writeFileSync(join(folder, 'courses.csv'), 'id,title,gone\nCS1,Intro,\nCS2,,true\n,Nameless,\n')
  const words = ['courses.csv', '--mapping', 'courses.sql', '--max-rejects', '1']
  expect(lpa('load', ...words, '--lineage', 'lineage.ndjson').code).toBe(0)
  const lines = readFileSync(join(folder, 'lineage.ndjson'), 'utf8').trimEnd().split('\n')
  const [start, end] = lines.map((line) => JSON.parse(line))
  expect(start).toMatchObject({ eventType: 'START', job: { name: 'load' }, inputs: [], outputs: [] })
  const { runId } = start.run
  expect(end).toMatchObject({ eventType: 'COMPLETE', run: { runId }, inputs: [{ name: 'sources.files' }] })
  expect(
    end.outputs.map(({ name, outputFacets }: Record<string, Record<string, Record<string, number>>>) => [
      name,
      outputFacets?.outputStatistics?.rowCount,
    ]),
  ).toEqual([
    ['staging.stg_course', 1],
    ['staging.stg_deletion', 1],
    ['raw.rejected_rows', 1],
  ])
})

test('doctor finds a whole warehouse, and a key that others can read', () => {
  const sound = lpa('doctor', '--verify')
  expect(sound).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing is wrong.') })
  chmodSync(join(folder, 'pseudonym.key'), 0o640)
  expect(lpa('doctor')).toMatchObject({ code: 1, stdout: expect.stringContaining('LPA-KEY-OPEN') })
  expect(lpa('doctor', '--fix')).toMatchObject({ code: 0, stdout: expect.stringContaining('mended') })
  expect(json('doctor')).toMatchObject({ findings: [], fixed: [] })
})
