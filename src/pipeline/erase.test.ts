/** Whom an erasure takes, what it leaves of others, and that nobody comes back. */

import { copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Searcher } from '../../test/faults/search.ts'
import { TryWarehouse } from '../../test/try-warehouse.ts'
import { rotateKey } from '../key-rotation.ts'
import { ERASED, pseudonym, readKey } from '../pseudonym.ts'
import { build } from './build.ts'
import { type Erasure, erase, erasureSummary, erasureText, isProven } from './erase.ts'

const { signal } = new AbortController()
const progress = { onStep: () => {}, onModel: () => {} }
const TOML = '[load]\nmax_rejects = "50%"\n[sources.lms]\nuri = "lms/*"\n'

/** Moodle's log: an event of the user, or of the related user. */
const LOG =
  `id,eventname,component,objecttable,objectid,contextlevel,contextinstanceid,courseid,timecreated,userid,relateduserid,realuserid
1,\\core\\event\\course_viewed,core,,,50,7,7,1768208400,anna,,
2,\\core\\event\\course_viewed,core,,,50,7,7,1768208460,ben,,
3,\\core\\event\\user_graded,core,,,50,7,7,1768208520,anna,ben,
4,\\core\\event\\user_graded,core,,,50,7,7,1768208580,ben,anna,
5,\\core\\event\\course_viewed,core,,,50,7,7,,anna,,
`.replaceAll('\\\\', '\\')
const LEARNERS = `learner_id,email,country,signed_up_on
anna,anna@x.example,DE,2026-01-01
ben,ben@x.example,FR,2026-01-02
cleo,ben@x.example,FR,2026-01-03
dora,dora@x.example,IT,2026-01-04
`
const COMPLETIONS = `learner_id,course_id,completed_at,final_score,grade,passed
anna,7,2026-02-01T08:00:00Z,0.9,A,true
ben,7,2026-02-02T08:00:00Z,0.8,B,true
`

async function campus(): Promise<TryWarehouse> {
  const its = await TryWarehouse.create(TOML)
  its.write('lms/log.csv', LOG)
  its.write('lms/learners.csv', LEARNERS)
  its.write('lms/completions.csv', COMPLETIONS)
  return its
}

const load = (its: TryWarehouse) =>
  its.load(
    ['log', 'learners', 'completions'].map((name) => join(its.folder, 'lms', `${name}.csv`)),
    { source: 'lms', mappings: [] },
  )

function erased(its: TryWarehouse, ids: string, apply = true, idSpaces = ['lms']): Promise<Erasure> {
  const file = its.write('requests.txt', ids)
  return erase(its.config, { from: file, idSpaces, apply, runId: 'r' }, signal, progress)
}

const idOf = (its: TryWarehouse, id: string) =>
  pseudonym(readKey(its.config.privacy.keyFile), 'learner', 'lms', id) ?? ''

/** All that the facts and dimensions say. */
async function told(its: TryWarehouse): Promise<string> {
  const tables = ['dim_learner', 'fact_learning_event', 'fact_course_completion', 'agg_course_day']
  const rows = await Promise.all(
    tables.map((table) =>
      its.rows(`select columns(c -> c not in ('valid_from')) from ${table} order by all`),
    ),
  )
  return JSON.stringify(rows, (_, value) => (typeof value === 'bigint' ? String(value) : value))
}

async function rawOf(its: TryWarehouse): Promise<string> {
  return JSON.stringify([
    await its.rows('select payload from raw.raw_learning_events order by position'),
    await its.rows('select payload from raw.rejected_rows where payload is not null'),
  ])
}

describe('an erasure', () => {
  let its: TryWarehouse
  beforeAll(async () => {
    its = await campus()
    await load(its)
    await its.build()
  }, 120_000)
  afterAll(() => its[Symbol.dispose]())

  test('is planned without any change', async () => {
    const before = its.state()
    const plan = await erased(its, ' anna \nnobody\n\n', false)
    expect(plan).toMatchObject({ applied: false, ids: 2, known: 1, pseudonyms: 3 })
    expect(erasureText(plan)).toContain('Not known: 1 of 2 ids')
    expect(plan.searched?.found).toContain('catalog.sqlite')
    expect(erasureSummary(plan)).toBe('1 of 2 ids known, 10 rows to be removed; nothing was changed')
    expect(its.state()).toBe(before)
  }, 120_000)

  test('takes rows of theirs, and names in rows of others', async () => {
    const erasure = await erased(its, 'anna\n')
    expect(
      erasureText(erasure).replace(/\d+ files? \([\d,]+ bytes\)|\d+ (?=rewr|del|snap)/g, '…'),
    ).toMatchInlineSnapshot(`
      "Rows
        core.dim_learner               1 removed
        core.fact_course_completion    1 removed
        core.fact_learning_event       2 removed
        raw.raw_learning_events        2 removed, 1 of others, in which they are not named any more
        raw.rejected_rows              1 of others, in which they are not named any more
        staging.stg_course_completion  1 removed
        staging.stg_learner            1 removed
        staging.stg_learning_event     2 removed

      Proof
        14 files rewritten, …deleted, …snapshots expired, the catalog written anew
        … searched for 2 pseudonyms: 0 found"
    `)
    expect(isProven(erasure)).toBe(true)
    const raw = await its.rows('select payload from raw.raw_learning_events order by position')
    const ben = idOf(its, 'ben')
    const people = raw.map(([payload]) => JSON.parse(String(payload)))
    expect(people.map(({ id, userid, relateduserid }) => [id, userid, relateduserid])).toEqual([
      ['2', ben, undefined],
      ['3', ERASED, ben],
    ])
    // As others look for it: decoded, in statistics, in the catalog's free pages.
    const searcher = new Searcher([{ kind: 'pseudonym', value: idOf(its, 'anna') }])
    await searcher.folder(its.config.warehouse.path)
    expect(searcher.found).toEqual([])
  }, 120_000)

  test('comes to the same as one before the load, under another key too', async () => {
    using other = await campus()
    copyFileSync(its.config.privacy.keyFile, other.config.privacy.keyFile)
    expect(await erased(other, 'anna\n')).toMatchObject({ ids: 1, known: 0, rows: [] })
    const [log] = await load(other)
    expect(log?.mappings[0]?.counts).toMatchObject({ read: 5, mapped: 2, filtered: 3, rejected: 0 })
    await other.build()
    expect(await told(other)).toBe(await told(its))
    expect(await rawOf(other)).toBe(await rawOf(its))

    rotateKey(other.config.privacy.keyFile)
    await load(other)
    await other.build()
    expect(await other.value('select count(*) from dim_learner where learner_key <> 0')).toBe(3)
    expect(
      await other.value(`select count(*) from learner where learner_id = '${idOf(other, 'anna')}'`),
    ).toBe(0)
  }, 120_000)

  test('does not let them come back, and an address is that of all who have it', async () => {
    writeFileSync(join(its.folder, 'lms', 'learners.csv'), `${LEARNERS}emil,emil@x.example,AT,2026-01-05\n`)
    await load(its)
    await its.build()
    expect(await its.value('select count(*) from dim_learner where learner_key <> 0')).toBe(4)
    // Of ben alone, the address that cleo has too stays.
    expect(await erased(its, 'ben\n', false)).toMatchObject({ known: 1, pseudonyms: 1 })
    expect(await erased(its, 'Ben@X.example\n')).toMatchObject({ ids: 1, known: 1, left: [] })
    expect(await its.rows('select country from learner where learner_key <> 0 order by country')).toEqual([
      ['AT'],
      ['IT'],
    ])
    const checks = await its.build(true)
    expect(checks).toMatchObject({
      checks: expect.arrayContaining([expect.objectContaining({ name: 'erased-stay-erased', failures: 0 })]),
    })
  }, 120_000)

  test.each([
    ['', ['lms'], { code: 'LPA-ERASE-NOBODY', exit: 'data' }],
    [
      'anna\n',
      ['lmz'],
      { code: 'LPA-ERASE-SPACE', exit: 'usage', next: ['Did you mean lms?', 'There are: lms.'] },
    ],
  ] as const)('%j of %s is refused', async (ids, idSpaces, error) => {
    const from = its.write('wrong.txt', ids)
    const refused = erase(its.config, { from, idSpaces, apply: true, runId: 'r' }, signal, progress)
    await expect(refused).rejects.toMatchObject(error)
  })
})

test('who is erased before the first load is not let in by it: it must be said whose ids these are', async () => {
  using its = await TryWarehouse.create()
  const from = its.write('requests.txt', 'anna\n')
  const asked = (...idSpaces: string[]) =>
    erase(its.config, { from, idSpaces, apply: true, runId: 'r' }, signal, progress)
  await expect(asked()).rejects.toMatchObject({ code: 'LPA-ERASE-SPACE', exit: 'usage' })
  expect(await asked('lms')).toMatchObject({ ids: 1, known: 0 })
  its.write('lms/learners.csv', LEARNERS)
  await its.load([join(its.folder, 'lms', 'learners.csv')], { source: 'lms', mappings: [] })
  await its.build()
  expect(await its.value('select count(*) from dim_learner where learner_key <> 0')).toBe(3)
}, 120_000)

test('whom nothing names takes no older state away; whom only older states name does', async () => {
  using its = await TryWarehouse.create(TOML)
  const mapping = its.write(
    'people.sql',
    '-- entity: learner\n-- personal: learner_id(learner)\n-- export: snapshot\nselect learner_id from source\n',
  )
  const load = (...ids: readonly string[]) =>
    its.load(its.write('lms/people.csv', `learner_id\n${ids.join('\n')}\n`), {
      source: 'lms',
      mappings: [mapping],
    })
  const states = () => its.rows('select snapshot_id from ducklake_snapshots(current_database()) order by 1')
  await load('anna', 'ben')
  await load('ben', 'cleo')
  const before = await states()

  const erasure = await erased(its, 'nobody\nno one\n')
  expect(erasure).toMatchObject({ ids: 2, known: 0, rows: [], forgotten: undefined, searched: { found: [] } })
  expect(isProven(erasure)).toBe(true)
  expect((await states()).slice(0, before.length)).toEqual(before)
  expect(erasureText(erasure)).toContain('Not known: 2 of 2 ids')
  expect(erasureSummary(erasure)).toBe(
    '0 of 2 ids known, and no file names one; nothing was changed, but they are remembered',
  )
  await load('ben', 'cleo', 'nobody')
  expect(await its.value('select count(*) from staging.stg_learner')).toBe(2)

  const past = await erased(its, 'anna\n')
  expect(past).toMatchObject({ known: 0, rows: [], searched: { found: [] } })
  expect(past.forgotten?.snapshotsExpired).toBeGreaterThan(before.length)
  expect(await states()).toHaveLength(1)
}, 120_000)

test('what an erased learner took back stays taken back, loaded or mapped again', async () => {
  using its = await TryWarehouse.create(TOML)
  const mapping = (type: string) =>
    its.write(
      'voids.sql',
      `-- entity: learning_event
-- columns: id = $.id, who = $.who, voids = $.voids, happened = $.at
-- personal: who(learner)
select coalesce(voids, id) as event_id, who as learner_id, happened as occurred_at, '${type}' as event_type,
  voids is not null as deleted
from source
`,
    )
  const mappings = [mapping('viewed')]
  const file = its.write(
    'voids.ndjson',
    `{"id":"a","who":"ben","at":"2026-01-12T08:00:00Z"}
{"id":"b","who":"anna","voids":"a","at":"2026-01-12T09:00:00Z"}
`,
  )
  const remain = async () => {
    const rows = [
      await its.value('select count(*) from raw.raw_learning_events'),
      await its.value('select count(*) from staging.stg_deletion'),
      await its.value('select count(*) from fact_learning_event'),
    ]
    return rows.map(Number)
  }
  await its.load(file, { source: 'lms', mappings })
  await its.build()
  expect(isProven(await erased(its, 'anna\n'))).toBe(true)
  expect(await remain()).toEqual([2, 1, 0])
  mapping('launched')
  await its.load(file, { source: 'lms', mappings })
  await its.build()
  expect(await remain()).toEqual([2, 1, 0])
  mapping('played')
  const request = { select: [], full: true, replays: true, runId: 'r' }
  const built = await build(its.config, request, signal, progress)
  expect(built.replayed?.loads).toBe(1)
  expect(await remain()).toEqual([2, 1, 0])
}, 120_000)

test('an account of xAPI is known by its home page, and who names it without is told so', async () => {
  using its = await TryWarehouse.create(TOML)
  const actor = { account: { homePage: 'https://lms.example', name: 'eve' } }
  const rest = {
    verb: { id: 'http://adlnet.gov/expapi/verbs/completed' },
    object: { id: 'https://c.example/1' },
  }
  const statement = { id: 's1', timestamp: '2026-01-12T08:00:00Z', actor, ...rest }
  await its.load(its.write('lms/s.ndjson', `${JSON.stringify(statement)}\n`), { source: 'lms', mappings: [] })
  const missed = await erased(its, 'eve\n', false)
  expect(missed).toMatchObject({ known: 0, rows: [] })
  expect(erasureText(missed)).toContain('--id-space https://')
  const found = await erased(its, 'eve\n', false, ['https://lms.example'])
  expect(found).toMatchObject({ known: 1, rows: expect.arrayContaining([expect.anything()]) })
  expect(erasureText(found)).not.toContain('Not known')
}, 60_000)
