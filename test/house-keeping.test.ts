/** A warehouse that took very many small commits answers like one that was loaded at once, and `lpa doctor --fix` keeps it so. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadConfig } from '../src/config.ts'
import type { Diagnosis } from '../src/pipeline/diagnosis.ts'
import { difference, dump, faultsOf, rowsOf } from './faults/dump.ts'
import {
  copyPlace,
  isFull,
  lpa,
  lpaOk,
  type Place,
  removePlace,
  removePlaces,
  startLpa,
} from './faults/lpa.ts'
import { randomOf, replayable, seeds, share } from './faults/seeds.ts'
import { compareReports, freshlyLoaded } from './report-times.ts'
import { eventMessages } from './services/kafka/events.ts'
import { dateBack, smallCommits } from './small-commits.ts'
import { TryWarehouse } from './try-warehouse.ts'

const FILE = 'test/house-keeping.test.ts'
const EVENTS = { seed: 3, count: isFull ? 100_000 : 600, startAt: Date.parse('2026-03-02T08:00:00Z') }
const COMMITS = isFull ? 10_000 : 60
const RECORDS = EVENTS.count / COMMITS
const HOURS_MS = 2 * 3_600_000
const MOST_RATIO = 1.5
const SETTING = '[warehouse]\ntime_travel = "30d"\n'
/** It merges the files of two tables, then removes what no state needs. */
const STEPS = 3

let streamed: TryWarehouse
let place: Place
beforeAll(
  async () => {
    streamed = await TryWarehouse.create(SETTING)
    place = {
      root: streamed.folder,
      warehouse: streamed.config.warehouse.path,
      tmp: join(streamed.folder, 'tmp'),
    }
    mkdirSync(place.tmp)
    await smallCommits(streamed.config, {
      ...{ commits: COMMITS, records: RECORDS, messages: eventMessages(EVENTS) },
      ...{ isBehind: true, everyMs: 5000 },
    })
  },
  isFull ? 6 * 3_600_000 : 600_000,
)
afterAll(() => {
  streamed[Symbol.dispose]()
  removePlaces()
})

/** As closed to others as it is. */
function copied(name: string): Place {
  const umask = process.umask(0o077)
  try {
    return copyPlace(place, name)
  } finally {
    process.umask(umask)
  }
}

async function doctor(its: Place, ...flags: readonly string[]): Promise<Diagnosis> {
  const { stdout } = await lpa(its, ['doctor', ...flags, '--json', '--quiet'])
  return JSON.parse(stdout)
}

const codes = ({ findings }: Diagnosis) => findings.map(({ code }) => code)

test('after very many small commits reports take as long as after one load', async () => {
  using fresh = await freshlyLoaded(eventMessages(EVENTS))
  const counted = 'select count(*), count(distinct event_id) from core.fact_learning_event'
  expect(await streamed.rows(counted)).toEqual(await fresh.rows(counted))
  let ratio = Infinity
  for (let rounds = 3; ratio > MOST_RATIO && rounds <= 18; rounds += 5) {
    const times = await compareReports(streamed, fresh, rounds)
    const { ms, freshMs } = times.at(-1) as (typeof times)[number]
    ratio = ms / freshMs
    if (isFull)
      console.log(times.map((row) => `${row.name}: ${(row.ms / row.freshMs).toFixed(2)}`).join(', '))
  }
  expect(ratio).toBeLessThanOrEqual(MOST_RATIO)
})

test('what there is to do is told, and done beside readers', async () => {
  const its = copied('kept')
  dateBack(its.warehouse, HOURS_MS)
  const before = await dump(its)
  const settings = join(its.root, 'lpa.toml')
  writeFileSync(settings, '')
  const unasked = await doctor(its)
  writeFileSync(settings, SETTING)
  const { planned } = await doctor(its)
  expect(unasked.planned).toEqual(planned.filter((line) => !/expired/.test(line)))
  for (const of of [/small files: merged$/, /older states: expired; of each hour the last stays, for 30d$/])
    expect(planned).toContainEqual(expect.stringMatching(of))

  const counted = () => rowsOf(its, 'select count(*) from staging.stg_learning_event')
  const expected = await counted()
  const { ended } = startLpa(its, ['doctor', '--fix', '--json', '--quiet'])
  let isDone = false
  const fixed = ended.then((ran) => {
    isDone = true
    return ran
  })
  while (!isDone) expect(await counted()).toEqual(expected)
  const { code, stdout } = await fixed
  expect(code, stdout).toBe(0)
  const told = (JSON.parse(stdout) as Diagnosis).fixed
  expect(told.filter((line) => !/free/.test(line)).length).toBeGreaterThanOrEqual(planned.length)

  expect(await doctor(its, '--verify')).toMatchObject({ findings: [], planned: [] })
  expect(await dump(its)).toEqual(before)
  expect(await faultsOf(its)).toEqual([])
})

/** That the newest state reads. */
function newestFile({ warehouse }: Place, table: string): string {
  using catalog = new DatabaseSync(join(warehouse, 'catalog.sqlite'), { readOnly: true })
  const newest =
    catalog.prepare(`select f.path from ducklake_data_file f join ducklake_table t using (table_id)
    where t.table_name = ? and f.end_snapshot is null order by data_file_id desc limit 1`)
  return String(newest.get(table)?.path)
}

test('a changed file does not become a part of a sound one', async () => {
  const its = copied('changed')
  const newest = join(
    its.warehouse,
    'data',
    'staging',
    'stg_learning_event',
    newestFile(its, 'stg_learning_event'),
  )
  const bytes = readFileSync(newest)
  bytes[bytes.length - 100] = (bytes[bytes.length - 100] ?? 0) ^ 1
  writeFileSync(newest, bytes)
  expect(codes(await doctor(its, '--fix'))).toEqual(['LPA-WAREHOUSE-DAMAGED'])
  expect(codes(await doctor(its, '--verify', '--fix'))).toEqual(['LPA-DOCTOR-DAMAGED'])
})

test('a stream that commits meanwhile loses nothing, and hinders nothing', async () => {
  const its = copied('beside')
  dateBack(its.warehouse, HOURS_MS)
  const counted = 'select count(*), count(distinct load_id) from raw.raw_learning_events'
  const [[rows, loads]] = (await rowsOf(its, counted)) as [[number, number]]
  const { ended } = startLpa(its, ['doctor', '--fix', '--lock-wait', '1m', '--json', '--quiet'])
  await filesChanged(its, 1)
  const config = loadConfig({ cwd: its.root, env: { LPA_EXTENSIONS: process.env.LPA_EXTENSIONS } })
  const commits = 5
  await smallCommits(
    { ...config, load: { ...config.load, lockWaitMs: 60_000 } },
    {
      commits,
      before: COMMITS,
      records: RECORDS,
      messages: eventMessages({ ...EVENTS, seed: 4 }),
      isBehind: true,
    },
  )
  const { code, stdout } = await ended
  expect(code, stdout).toBe(0)
  expect(await rowsOf(its, counted)).toEqual([[rows + commits * RECORDS, loads + commits]])
  expect(codes(await doctor(its, '--verify'))).toEqual([])
  expect(await faultsOf(its)).toEqual([])
})

/** Waits until house-keeping has written, or removed, so many files. */
async function filesChanged({ warehouse }: Place, files: number): Promise<void> {
  const list = () => readdirSync(join(warehouse, 'data'), { recursive: true, encoding: 'utf8' })
  const before = new Set(list())
  const deadline = Date.now() + 60_000
  const changed = () => {
    const now = new Set(list())
    return [...now, ...before].filter((name) => !now.has(name) || !before.has(name)).length
  }
  while (changed() < files) {
    expect(Date.now(), 'files change').toBeLessThan(deadline)
    await sleep(5)
  }
}

test.each(seeds(isFull ? 60 : 2))('kill -9 while it keeps house, seed %i', async (seed) => {
  await replayable(FILE, 'while it keeps house', seed, async () => {
    const its = copied(`killed-${seed}`)
    dateBack(its.warehouse, HOURS_MS)
    const { child, ended } = startLpa(its, ['doctor', '--fix', '--quiet'])
    const steps = 1 + Math.floor(share(randomOf(seed)) * STEPS)
    await filesChanged(its, steps)
    child.kill('SIGKILL')
    expect((await ended).signal, `after ${steps} steps`).toBe('SIGKILL')
    const left = codes(await doctor(its, '--verify'))
    expect(
      left.filter((code) => !/UNRECORDED|ORPHANS/.test(code)),
      'after the kill',
    ).toEqual([])
    await lpaOk(its, ['doctor', '--fix', '--quiet'])
    expect(await doctor(its, '--verify'), 'after the next run').toMatchObject({ findings: [], planned: [] })
    expect(await faultsOf(its)).toEqual([])
    expect(await difference(place, its)).toBe('')
    removePlace(its)
  })
})
