/** Rejected records that are read again: after their mapping was mended, or their file; once, twice, and after a kill. */

import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { writeLedger } from '../src/pipeline/ledger.ts'
import { replayRaw } from '../src/pipeline/replay.ts'
import { type Requeued, requeue } from '../src/pipeline/requeue.ts'
import { showRun } from '../src/pipeline/runs.ts'
import { withWarehouse } from '../src/pipeline/warehouse.ts'
import { zipOf } from '../src/sources/zip.test-support.ts'
import { difference, faultsOf } from './faults/dump.ts'
import { copyPlace, initPlace, lpa, lpaOk, noStrace, removePlaces } from './faults/lpa.ts'
import { TryWarehouse } from './try-warehouse.ts'

const MAPPING = `-- title: Quiz answers
-- entity: learning_event
-- personal: student(learner)
select student as learner_id, course as course_id, happened as occurred_at, 'answered' as event_type, points as score
from source
`
/** Takes points as a share of 100, and days as they are written in Germany. */
const MENDED = MAPPING.replace(
  'happened',
  `coalesce(try_strptime(happened, '%d.%m.%Y'), try_cast(happened as timestamp))`,
)

const ROWS = [
  'student,course,happened,points',
  'ana,C1,2026-01-05T10:00:00Z,0.5',
  'bo,C1,06.01.2026,0.5',
  'ana,C1,2026-01-05T10:00:00Z,0.5',
  'cy,C1,2026-01-07T10:00:00Z,lots',
  'di,C1,2026-01-08T10:00:00Z,1',
]
const csv = (rows: readonly string[]) => `${rows.join('\n')}\n`

let its: TryWarehouse
let file: string
let mapping: string
beforeEach(async () => {
  its = await TryWarehouse.create('[load]\nmax_rejects = "50%"\n')
  file = its.write('answers.csv', csv(ROWS))
  mapping = its.write('answers.sql', MAPPING)
  await its.load(file, { mappings: [mapping] })
  return () => its[Symbol.dispose]()
})

const never = new AbortController().signal
const again = (mappings: readonly string[] = [mapping]): Promise<Requeued[]> =>
  requeue(its.config, { mappings }, never, { onFile: () => {}, onLoaded: () => {} })
const counted = async (table = 'staging.stg_learning_event') => {
  const rows = await its.rows(`select cast(occurred_at as date) as day, score from ${table} order by 1, 2`)
  return rows.map(([day, score]) => `${String(day)} ${score}`)
}
const loads = () => its.rows('select load_id, superseded_by from meta.loads order by 1')
const rejects = () =>
  its.rows('select position, column_name, requeued_at is not null from raw.rejected_rows order by 1')

const COUNTED = ['2026-01-05 0.5', '2026-01-05 0.5', '2026-01-08 1']

test('nothing was mended: nothing is written', async () => {
  const before = its.state()
  expect(await again()).toMatchObject([
    { outcome: 'unchanged', load: 1, rejected: 2, mended: 0, stillRejected: 2, byLoad: undefined },
  ])
  expect(its.state()).toBe(before)
})

test('the mapping was mended: the new load takes the place of the earlier one, also twice, also when it is loaded again', async () => {
  writeFileSync(mapping, MENDED)
  expect(await again()).toMatchObject([
    { outcome: 'requeued', load: 1, byLoad: 2, rejected: 2, mended: 1, stillRejected: 1, newlyRejected: 0 },
  ])
  // Two identical rows count twice, as they did.
  const mended = ['2026-01-05 0.5', '2026-01-05 0.5', '2026-01-06 0.5', '2026-01-08 1']
  expect(await counted()).toEqual(mended)
  expect(await rejects()).toEqual([[expect.stringMatching(/answers\.csv:5$/), 'score', true]])
  const before = its.state()
  expect(await again()).toMatchObject([{ outcome: 'unchanged', load: 2, stillRejected: 1 }])
  expect(await its.load(file, { mappings: [mapping] })).toMatchObject([{ outcome: 'unchanged' }])
  expect(its.state()).toBe(before)
  await its.build()
  expect(await counted('fact_learning_event')).toEqual(mended)
})

test('what raw was mapped again of has its file yet: that brings what was rejected', async () => {
  writeFileSync(mapping, MENDED)
  const replayed = await withWarehouse(its.config, 'write', never, (engine) =>
    replayRaw({ ...its.config, root: its.folder }, engine, never),
  )
  expect(replayed).toMatchObject({ loads: 1, records: 5 })
  expect(await again()).toMatchObject([{ outcome: 'requeued', load: 2, byLoad: 3, mended: 1 }])
  expect(await again()).toMatchObject([{ outcome: 'unchanged', load: 3 }])
})

test('the file was mended at its line: what counted counts once', async () => {
  its.write('answers.csv', csv(ROWS.with(2, 'bo,C1,2026-01-06,0.5')))
  expect(await again()).toMatchObject([{ outcome: 'requeued', byLoad: 2, mended: 1, stillRejected: 1 }])
  const mended = ['2026-01-05 0.5', '2026-01-05 0.5', '2026-01-06 0.5', '2026-01-08 1']
  expect(await counted()).toEqual(mended)
  its.write('answers.csv', csv(ROWS.with(2, 'bo,C1,2026-01-06,0.5').with(4, 'cy,C1,2026-01-07,0.1')))
  expect(await again()).toMatchObject([{ outcome: 'requeued', byLoad: 3, mended: 1, stillRejected: 0 }])
  expect(await counted()).toEqual([...mended.slice(0, 3), '2026-01-07 0.1', '2026-01-08 1'])
  expect(await again()).toEqual([])
  // What it was at first is known to be in the last one too.
  expect(await loads()).toEqual([
    [1, 3],
    [2, 3],
    [3, null],
  ])
})

test('its mapping is found where it lies, also after it was requeued', async () => {
  const elsewhere = join(mkdtempSync(join(tmpdir(), 'lpa-elsewhere-')), 'answers.sql')
  const away = (text: string) => writeFileSync(elsewhere, text)
  let runs = 0
  const loadsOfRun = async (command: string, words: string, work: () => Promise<unknown>) => {
    const run = { run_id: command + runs++, command, arguments: words, role: null, exit_code: 0, summary: '' }
    const started_at = new Date().toISOString()
    await work()
    const values = { ...run, started_at, finished_at: new Date().toISOString() }
    await withWarehouse(its.config, 'write', never, (engine) =>
      engine.transaction(() => writeLedger(engine, 'record-run', values)),
    )
    return its.read(async (engine) => (await showRun(engine, run.run_id)).loads.rows.length)
  }
  away(MAPPING)
  rmSync(mapping)
  const log = its.write('away.csv', csv(ROWS.with(1, 'fay,C1,2026-01-05T10:00:00Z,0.5')))
  const words = `away.csv --mapping ${elsewhere}`
  const load = () => its.load(log, { mappings: [elsewhere], source: 'away' })
  expect(await loadsOfRun('load', words, load)).toBe(1)
  for (const text of [MENDED, `${MENDED}where points <> 'lots'\n`]) {
    away(text)
    let told: Requeued[] = []
    const count = await loadsOfRun('rejects requeue', '', async () => {
      told = await again([])
    })
    expect(count).toBe(1)
    expect(told).toContainEqual(
      expect.objectContaining({ input: expect.stringMatching(/away\.csv$/), outcome: 'requeued', mended: 1 }),
    )
  }
})

test('a file that went on growing is the same file', async () => {
  its.write('answers.csv', csv([...ROWS, 'ed,C1,2026-01-09,0']))
  expect(await again()).toMatchObject([{ outcome: 'unchanged' }])
  writeFileSync(mapping, MENDED)
  expect(await again()).toMatchObject([{ outcome: 'requeued', mended: 1, stillRejected: 1 }])
  expect(await counted()).toEqual([...COUNTED.slice(0, 2), '2026-01-06 0.5', '2026-01-08 1', '2026-01-09 0'])
})

test('a line that was no row is mended: those behind it have other numbers', async () => {
  const name = its.write('short.csv', csv(ROWS.with(2, 'bo,C1')))
  await its.load(name, { mappings: [mapping], source: 'short' })
  its.write('short.csv', csv(ROWS.with(2, 'bo,C1,2026-01-06,0.5')))
  expect(await again()).toContainEqual(
    expect.objectContaining({
      outcome: 'requeued',
      input: expect.stringMatching(/short\.csv$/),
      mended: 1,
      stillRejected: 1,
    }),
  )
  its.write('short.csv', csv(ROWS.with(2, 'bo,C1,2026-01-06,0.5').with(3, 'ana,C1,2026-01-05T10:00:00Z,0.7')))
  expect(await again()).toContainEqual(
    expect.objectContaining({ outcome: 'left', input: expect.stringMatching(/short\.csv$/) }),
  )
})

test('another export of the same name is not taken for it', async () => {
  for (const rows of [
    ROWS.with(1, 'zoe,C1,2026-02-05,0.5'),
    ROWS.toSpliced(2, 1),
    ['student,course,happened,points', 'zoe,C9,2026-02-05,0.5'],
  ]) {
    its.write('answers.csv', csv(rows))
    const before = its.state()
    const [left] = await again()
    expect(left).toMatchObject({ outcome: 'left', mended: 0, stillRejected: 2 })
    expect(left?.why).toMatch(/It is not what load 1 read: \d rows? of it/)
    expect(its.state()).toBe(before)
  }
  expect(await counted()).toEqual(COUNTED)
})

test('file and mapping both changed, the file gone, its mapping gone: left, with what to do', async () => {
  writeFileSync(mapping, MENDED)
  its.write('answers.csv', csv(ROWS.with(4, 'cy,C1,2026-01-07,0.1')))
  const [both] = await again()
  expect(both).toMatchObject({ outcome: 'left', why: expect.stringContaining('and so did answers') })
  renameSync(mapping, `${mapping}.away`)
  const [unnamed] = await again([])
  expect(unnamed).toMatchObject({ outcome: 'left', why: 'Its mapping answers.sql is not found.' })
  expect(unnamed?.next).toEqual(['Name it: lpa rejects requeue --load 1 --mapping FILE.sql'])
  renameSync(`${mapping}.away`, mapping)
  its.write('answers.csv', '')
  expect(await again()).toMatchObject([{ outcome: 'left', why: expect.stringContaining('It is empty.') }])
  rmSync(file)
  expect(await again()).toMatchObject([{ outcome: 'left', why: 'The file is not there any more.' }])
  expect(await counted()).toEqual(COUNTED)
})

test('what came of a topic is told once, with the command that reads it again', async () => {
  await withWarehouse(its.config, 'write', never, (engine) =>
    engine.transaction(async () => {
      await engine.execute("update meta.loads set uri = 'kafka://127.0.0.1:9092/clicks', source = 'kafka'")
      await engine.execute(
        "insert into meta.loads select * replace (2 as load_id, 'other' as content_sha256, 3 as records_rejected) from meta.loads",
      )
      await engine.execute("insert into meta.load_entities values (2, 'learning_event', 1)")
    }),
  )
  expect(await again()).toEqual([
    expect.objectContaining({
      ...{ outcome: 'left', load: 1, rejected: 5, stillRejected: 5 },
      why: 'It was no file, which could be read again at its place.',
      next: [
        expect.stringMatching(
          /^Load it again: lpa stream kafka:\/\/127\.0\.0\.1:9092\/clicks --reset-offsets/,
        ),
      ],
    }),
  ])
})

test('a file inside an archive is read again where it lies', async () => {
  const archive = (rows: readonly string[]) =>
    its.write('more.zip', zipOf([{ name: 'log.csv', text: csv(rows) }]))
  const path = `${archive(ROWS.with(1, 'eva,C1,2026-01-09,0.25'))}/log.csv`
  await its.load(path, { mappings: [mapping], source: 'zipped' })
  archive(ROWS.with(1, 'eva,C1,2026-01-09,0.25').with(4, 'cy,C1,2026-01-07,0.1'))
  expect(await again()).toContainEqual(
    expect.objectContaining({
      outcome: 'requeued',
      input: expect.stringMatching(/more\.zip\/log\.csv$/),
      mended: 1,
      stillRejected: 1,
    }),
  )
})

test('of an export without times of its own, what was requeued is not newer than what came after it', async () => {
  const learners = its.write(
    'people.sql',
    '-- entity: learner\n-- personal: student(learner)\nselect student as learner_id, country, since as signed_up_on from source',
  )
  const rows = (ana: string, ed: string) =>
    `student,country,since\nana,DE,${ana}\ncy,DE,2026-01-01\ned,DE,${ed}\nfin,DE,2026-01-01\n`
  await its.load(its.write('bad.csv', rows('never', 'soon')), {
    mappings: [learners],
  })
  await its.load(its.write('later.csv', 'student,country,since\nana,PL,2026-01-01\n'), {
    mappings: [learners],
  })
  for (const ed of ['soon', '2026-01-01']) {
    its.write('bad.csv', rows('2026-01-01', ed))
    expect(await again([learners])).toContainEqual(
      expect.objectContaining({ outcome: 'requeued', mended: 1 }),
    )
  }
  expect(
    await its.rows('select country from staging.stg_learner order by effective_at desc, country'),
  ).toEqual([['PL'], ['DE'], ['DE'], ['DE'], ['DE']])
})

afterAll(removePlaces)
test('kill -9 as the new rows are placed, then again: as without', async (context) => {
  const why = noStrace()
  if (why) context.skip(why)
  const place = await initPlace('requeue')
  writeFileSync(join(place.root, 'answers.csv'), csv(ROWS))
  writeFileSync(join(place.root, 'answers.sql'), MAPPING)
  await lpaOk(place, ['load', 'answers.csv', '--mapping', 'answers.sql', '--max-rejects', '2'])
  writeFileSync(join(place.root, 'answers.sql'), MENDED)
  const whole = copyPlace(place, 'whole')
  const { stderr } = await lpaOk(whole, ['rejects', 'requeue'])
  expect(stderr).toContain('1 file: 1 record mended, 1 still rejected')
  const kill = [
    'strace',
    '-f',
    '-o',
    '/dev/null',
    '-e',
    'trace=rename',
    '-e',
    'inject=rename:signal=SIGKILL:when=2',
  ]
  expect(await lpa(place, ['rejects', 'requeue'], { under: kill })).toMatchObject({ signal: 'SIGKILL' })
  await lpaOk(place, ['rejects', 'requeue'])
  expect(await faultsOf(place)).toEqual([])
  expect(await difference(place, whole)).toBe('')
})
