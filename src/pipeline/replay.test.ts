/** A changed mapping, and what raw kept of the events: mapped again as if the file had been loaded again. */

import { rmSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TryWarehouse } from '../../test/try-warehouse.ts'
import { type BuildSummary, build, changeNotes } from './build.ts'
import { replayRaw } from './replay.ts'
import { withWarehouse } from './warehouse.ts'

const LINES = `{"id":"a","who":"anna","what":"seen","course":"7","at":"2026-01-12T08:00:00Z","points":"5"}
{"id":"b","who":"ben","what":"seen","course":"7","at":"2026-01-12T09:00:00Z","points":"7"}
{"id":"c","who":"ben","what":"seen","course":"7","at":"never","points":"7"}
{"who":"ben","what":"left","course":"7","at":"2026-01-12T10:00:00Z","points":"9"}
`
const mapping = (select: string) => `-- entity: learning_event
-- columns: id = $.id, who = $.who, what = $.what, course = $.course, happened = $.at, points = $.points
-- personal: who(learner)
-- export: append
select source_row, id as event_id, who as learner_id, course as course_id, happened as occurred_at, ${select} from source
`

let its: TryWarehouse
beforeAll(async () => {
  its = await TryWarehouse.create('[load]\nmax_rejects = "50%"\n')
  its.write('mine.sql', mapping("case what when 'seen' then 'viewed' else what end as event_type"))
  const file = its.write('log.ndjson', LINES)
  await its.load(file, { mappings: [`${its.folder}/mine.sql`] })
  await its.build()
  // Raw is all that is left of it.
  rmSync(file)
}, 120_000)
afterAll(() => its[Symbol.dispose]())

const full = (): Promise<BuildSummary> =>
  build(its.config, { select: [], full: true, replays: true, runId: 'r' }, new AbortController().signal, {
    onModel: () => {},
  })
const events = () =>
  its.rows('select event_id, learner_key, event_type, score from fact_learning_event order by occurred_at')

test('as long as the mapping is the same, nothing is another', async () => {
  const before = await events()
  const built = await full()
  expect(changeNotes(built)).toEqual(['No fact changed.'])
  expect(await events()).toEqual(before)
}, 120_000)

test('a changed one maps raw again, by the same pseudonyms, ids and positions', async () => {
  const before = await events()
  its.write(
    'mine.sql',
    mapping(
      "case what when 'left' then 'logged_out' else 'viewed' end as event_type, try_cast(points as double) / 10 as score",
    ).replace('from source', "from source where coalesce(id, '') <> 'a'"),
  )
  const built = await full()
  expect(changeNotes(built)).toEqual([
    '4 records of 1 load mapped again from raw.',
    'fact_learning_event: 0 added, 1 removed, 2 changed',
  ])
  expect(await events()).toEqual([
    [...(before[1]?.slice(0, 2) ?? []), 'viewed', 0.7],
    [...(before[2]?.slice(0, 2) ?? []), 'logged_out', 0.9],
  ])
  expect(
    await its.rows(
      'select records_read, records_mapped, records_rejected, records_filtered, superseded_by from meta.loads order by load_id',
    ),
  ).toEqual([
    [4, 3, 1, 0, expect.anything()],
    [4, 2, 1, 1, null],
  ])
  expect(await its.rows('select position, load_id from raw.rejected_rows')).toEqual([
    [expect.stringMatching(/log\.ndjson:3$/), await its.value('select max(load_id) from meta.loads')],
  ])
  expect(changeNotes(await full())).toEqual(['No fact changed.'])
}, 120_000)

test('the file, loaded again, takes its place, and the facts are the same', async () => {
  const before = await events()
  const file = its.write('log.ndjson', LINES)
  const again = () => its.load(file, { mappings: [`${its.folder}/mine.sql`] })
  expect(await again()).toMatchObject([{ outcome: 'loaded', replaced: [2] }])
  await its.build()
  expect(await events()).toEqual(before)
  expect(await again()).toMatchObject([{ outcome: 'unchanged' }])
  expect(changeNotes(await full())).toEqual(['No fact changed.'])
}, 120_000)

test('who was erased meanwhile stays away, what was rejected then is no reason to refuse, and persons inside JSON go by the headers of now', async () => {
  using other = await TryWarehouse.create('[load]\nmax_rejects = "50%"\n')
  const select = (header: string, score: string) => `-- entity: learning_event
-- columns: id = $.id, who = $.who, happened = $.at, context = $.context json
-- personal: who(learner)${header}
select id as event_id, who as learner_id, happened as occurred_at, 'viewed' as event_type, ${score} as score from source
`
  const write = (header: string, score: string) => other.write('inside.sql', select(header, score))
  const path = write('\n-- not-personal: $.context.name', '1')
  const context = (name: string) => `{"name":"${name}","born":"1999-05-02","group":"-","room":"B7"}`
  const line = (id: string, at: string) =>
    `{"id":"${id}","who":"anna","at":"${at}","context":${context('Anna')}}\n`
  await other.load(other.write('inside.ndjson', line('a', '2026-01-12T08:00:00Z') + line('b', 'never')), {
    mappings: [path],
  })
  await other.build()
  expect(await other.value('select cast(payload as varchar) from raw.raw_learning_events')).toContain('Anna')
  write(', $.context.name(learner)\n-- generalise: $.context.born(year)', '0.5')
  const { signal } = new AbortController()
  const erasedMeanwhile = withWarehouse(other.config, 'write', signal, (engine) => {
    const exportParquet = async (...asked: Parameters<typeof engine.exportParquet>) => {
      const rows = await engine.exportParquet(...asked)
      await engine.transaction(() =>
        engine.execute("insert into meta.erased values ('ab', timestamp '2026-01-01')"),
      )
      return rows
    }
    return replayRaw(other.config, { ...engine, exportParquet }, signal)
  })
  await expect(erasedMeanwhile).rejects.toMatchObject({ code: 'LPA-LOAD-ERASED' })
  expect(await other.value('select cast(payload as varchar) from raw.raw_learning_events')).toContain('Anna')

  const strict = { ...other.config, load: { ...other.config.load, maxRejects: '0' } }
  await build(strict, { select: [], full: true, replays: true, runId: 'r' }, signal, { onModel: () => {} })
  const [payload] =
    (await other.rows('select cast(payload as varchar), load_id from raw.raw_learning_events'))[0] ?? []
  expect(JSON.parse(String(payload)).context).toEqual({ born: '1999', group: '-', room: 'B7' })
  expect(await other.value('select learner_key <> 0 from fact_learning_event where score = 0.5')).toBe(true)
}, 120_000)

test('of a table: a column that is dropped is no reason to refuse it, one that raw has not is a reason to load it again', async () => {
  using other = await TryWarehouse.create()
  const write = (select: string) =>
    other.write(
      'table.sql',
      `-- entity: learning_event
-- personal: student(learner), mail(drop)
select id as event_id, student as learner_id, happened as occurred_at, ${select} from source
`,
    )
  const file = other.write('table.csv', 'id,student,mail,happened,points\na,ana,m,2026-01-12T08:00:00Z,\n')
  await other.load(file, { mappings: [write("'viewed' as event_type")] })
  const { signal } = new AbortController()
  const replay = () =>
    withWarehouse(other.config, 'write', signal, (engine) => replayRaw(other.config, engine, signal))
  write("'launched' as event_type")
  expect(await replay()).toMatchObject({ loads: 1, records: 1, reload: [] })
  expect(await other.value('select event_type from staging.stg_learning_event')).toBe('launched')
  write("'launched' as event_type, try_cast(points as double) as score")
  expect(await replay()).toMatchObject({ loads: 0, reload: [{ loads: 1, inputs: 1 }] })
}, 60_000)
