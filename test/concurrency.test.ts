/** Several at once: loads, batches and readers on one warehouse. Each load counts once, and nobody sees half of one. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { generateCampus } from '../src/pipeline/sample/campus.ts'
import { difference, faultsOf, withEngine } from './faults/dump.ts'
import {
  copyPlace,
  initPlace,
  isFull,
  lpa,
  lpaOk,
  type Place,
  type Ran,
  removePlace,
  removePlaces,
  startLpa,
} from './faults/lpa.ts'

const AT_ONCE = 8
const EVENTS = isFull ? 20_000 : 2000
const PATIENT = ['--lock-wait', '5m']
/** All but what each build adds of itself. */
const CONTENT = { isMeant: (table: string) => table !== 'meta.checks' && table !== 'meta.built_loads' }

let empty: Place
beforeAll(async () => {
  empty = await initPlace('at-once')
})
afterAll(removePlaces)

/** An event log of `EVENTS` lines, of which no other has any. */
function eventLog(place: Place, name: string): string {
  const lines = Array.from({ length: EVENTS }, (_, index) => eventLine(`${name}-${index}`, index))
  const folder = join(place.root, 'logs')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${name}.ndjson`), `${lines.join('\n')}\n`)
  return `logs/${name}.ndjson`
}

function eventLine(id: string, index: number, more: object = {}): string {
  return JSON.stringify({
    event_id: id,
    event_type: ['viewed', 'played', 'registered'][index % 3],
    learner_id: `S${String(index % 50).padStart(7, '0')}`,
    course_id: `CS${index % 5}`,
    occurred_at: new Date(Date.parse('2026-03-02T08:00:00Z') + index * 61_000).toISOString(),
    ...more,
  })
}

interface Counts {
  readonly staged: number
  readonly raw: number
  readonly ledger: number
  readonly loads: number
  readonly facts: number
}

const COUNTS = `select (select count(*) from staging.stg_learning_event) as staged,
  (select count(*) from raw.raw_learning_events) as raw,
  (select coalesce(sum(records_mapped), 0) from meta.loads) as ledger,
  (select count(*) from meta.loads) as loads, (select count(*) from fact_learning_event) as facts`

async function counts(place: Place): Promise<Counts> {
  return withEngine(place, async (engine) => {
    const [staged = 0, raw = 0, ledger = 0, loads = 0, facts = 0] = (
      (await engine.query(COUNTS)).rows[0] ?? []
    ).map(Number)
    return { staged, raw, ledger, loads, facts }
  })
}

/** Looks again and again until `work` is done: in this process, and as users do. */
async function readWhile<T>(place: Place, work: Promise<T>): Promise<{ done: T; seen: Counts[] }> {
  let isDone = false
  const seen: Counts[] = []
  const stop = () => {
    isDone = true
  }
  work.then(stop, stop)
  const inside = async () => {
    while (!isDone) seen.push(await counts(place))
  }
  const outside = async () => {
    while (!isDone) {
      const { stdout } = await lpaOk(place, ['query', '--sql', COUNTS, '--json'])
      seen.push((JSON.parse(stdout) as Counts[])[0] as Counts)
    }
  }
  const [done] = await Promise.all([work, inside(), outside()])
  return { done, seen }
}

function expectWhole(seen: readonly Counts[]): void {
  expect(seen.length).toBeGreaterThan(2)
  for (const { staged, raw, ledger, loads } of seen)
    expect({ staged, raw, ledger }).toEqual({
      staged: loads * EVENTS,
      raw: loads * EVENTS,
      ledger: loads * EVENTS,
    })
}

const outcomes = (ran: readonly Ran[]) =>
  ran.map(({ code, stdout }) => ({ code, loaded: /,loaded,/.test(stdout) }))

describe('eight loads at once', () => {
  test('of different files: each is there once, and readers see whole loads only', async () => {
    const place = copyPlace(empty, 'different')
    const files = Array.from({ length: AT_ONCE }, (_, index) => eventLog(place, `log${index}`))
    const all = Promise.all(files.map((file) => lpa(place, ['load', file, ...PATIENT])))
    const { done, seen } = await readWhile(place, all)
    expect(done.map(({ code, stderr }) => ({ code, stderr: code === 0 ? '' : stderr }))).toEqual(
      Array(AT_ONCE).fill({ code: 0, stderr: '' }),
    )
    expectWhole(seen)
    const total = AT_ONCE * EVENTS
    expect(await counts(place)).toMatchObject({ staged: total, raw: total, ledger: total, loads: AT_ONCE })
    expect(await faultsOf(place)).toEqual([])
    const runs = await withEngine(place, (engine) =>
      engine.query(`select count(*), count(distinct run_id) from meta.runs where command = 'load'`),
    )
    expect(runs.rows).toEqual([[AT_ONCE, AT_ONCE]])
    removePlace(place)
  })

  test('of the same file: one loads it, the others say that nothing changed', async () => {
    const place = copyPlace(empty, 'same')
    const file = eventLog(place, 'log')
    const ran = await Promise.all(
      Array.from({ length: AT_ONCE }, () => lpa(place, ['load', file, ...PATIENT, '--format', 'csv'])),
    )
    expect(outcomes(ran).filter(({ loaded }) => loaded)).toEqual([{ code: 0, loaded: true }])
    expect(outcomes(ran).filter(({ loaded }) => !loaded)).toEqual(
      Array(AT_ONCE - 1).fill({ code: 0, loaded: false }),
    )
    expect(await counts(place)).toMatchObject({ staged: EVENTS, raw: EVENTS, ledger: EVENTS, loads: 1 })
    expect(await faultsOf(place)).toEqual([])
    removePlace(place)
  })

  test('that do not wait: each is done or says 75, and what says 75 changed nothing', async () => {
    const place = copyPlace(empty, 'hasty')
    const files = Array.from({ length: AT_ONCE }, (_, index) => eventLog(place, `log${index}`))
    const ran = await Promise.all(files.map((file) => lpa(place, ['load', file, '--lock-wait', '0s'])))
    const done = ran.filter(({ code }) => code === 0).length
    expect(ran.filter(({ code }) => code !== 0 && code !== 75)).toEqual([])
    expect(done).toBeGreaterThan(0)
    expect(await counts(place)).toMatchObject({ loads: done, staged: done * EVENTS, raw: done * EVENTS })
    for (const file of files) await lpaOk(place, ['load', file, '--quiet'])
    expect(await counts(place)).toMatchObject({ loads: AT_ONCE, staged: AT_ONCE * EVENTS })
    expect(await faultsOf(place)).toEqual([])
    removePlace(place)
  })
})

describe('while another run writes', () => {
  /** Another run, as far as others can tell. */
  async function holdLock(place: Place): Promise<ChildProcess> {
    const holder = spawn(process.execPath, [
      ...['--no-warnings', '--eval'],
      `const lock = new (require('node:sqlite').DatabaseSync)(process.argv[1])
       lock.exec('begin exclusive')
       console.log('held')
       process.stdin.resume()`,
      join(place.warehouse, 'writer.lock'),
    ])
    if (holder.stdout) await once(holder.stdout, 'data')
    return holder
  }

  test('a load ends with 75 and what to do, and one that may wait gets its turn', async () => {
    const place = copyPlace(empty, 'locked')
    const file = eventLog(place, 'log')
    const holder = await holdLock(place)
    const refused = await lpa(place, ['load', file, '--lock-wait', '0s'])
    expect(refused).toMatchObject({ code: 75, stderr: expect.stringContaining('--lock-wait') })
    expect(await counts(place)).toMatchObject({ loads: 0, staged: 0 })
    const waiting = startLpa(place, ['load', file, ...PATIENT])
    const alsoWaiting = startLpa(place, ['batch', ...PATIENT])
    await lpaOk(place, ['query', '--sql', COUNTS, '--json'])
    expect(waiting.child.exitCode).toBeNull()
    holder.stdin?.end()
    expect(await waiting.ended).toMatchObject({ code: 0 })
    expect(await alsoWaiting.ended).toMatchObject({ code: 0 })
    expect(await counts(place)).toMatchObject({ loads: 1, staged: EVENTS })
    removePlace(place)
  })

  test('one that waits and is asked to stop stops at once, and leaves nothing', async () => {
    const place = copyPlace(empty, 'stopped')
    const file = eventLog(place, 'log')
    const holder = await holdLock(place)
    const waiting = startLpa(place, ['load', file, ...PATIENT])
    await lpaOk(place, ['query', '--sql', COUNTS, '--json'])
    const sentAt = performance.now()
    waiting.child.kill('SIGINT')
    const { code, signal } = await waiting.ended
    expect(code ?? signal).toSatisfy((end) => end === 130 || end === 'SIGINT')
    expect(performance.now() - sentAt).toBeLessThan(5000)
    holder.stdin?.end()
    await lpaOk(place, ['load', file, '--quiet'])
    expect(await faultsOf(place)).toEqual([])
    removePlace(place)
  })
})

describe('batches', () => {
  let loaded: Place
  let built: Place
  beforeAll(async () => {
    loaded = copyPlace(empty, 'loaded')
    await generateCampus(join(loaded.root, 'exports'), {
      ...{ learners: 300, events: 3 * EVENTS, seed: 41, courses: 20, badRows: 0.002 },
    })
    for (const file of ['learners.csv', 'events.ndjson', 'courses.json'])
      await lpaOk(loaded, ['load', `exports/${file}`, '--quiet'])
    built = copyPlace(loaded, 'built')
    await lpaOk(built, ['load', 'exports/', '--quiet'])
    await lpaOk(built, ['batch', '--quiet'])
  })

  test('two at once build once', async () => {
    const place = copyPlace(loaded, 'twice')
    await lpaOk(place, ['load', 'exports/', '--quiet'])
    const both = await Promise.all([0, 1].map(() => lpa(place, ['batch', ...PATIENT])))
    expect(both.map(({ code }) => code)).toEqual([0, 0])
    expect(both.filter(({ stderr }) => stderr.includes('nothing changed'))).toHaveLength(1)
    expect(await difference(built, place)).toBe('')
    expect(await faultsOf(place)).toEqual([])
    removePlace(place)
  })

  test('beside loads and readers: the next batch brings the rest', async () => {
    const place = copyPlace(loaded, 'beside')
    const rest = [
      'enrollments.csv',
      'completions.csv',
      'instructors.csv',
      'categories.csv',
      'xapi-statements.ndjson.gz',
    ]
    const all = Promise.all([
      lpa(place, ['batch', ...PATIENT]),
      ...rest.map((file) => lpa(place, ['load', `exports/${file}`, ...PATIENT])),
      lpa(place, ['batch', ...PATIENT]),
    ])
    const { done, seen } = await readWhile(place, all)
    expect(done.map(({ code, stderr }) => ({ code, stderr: code === 0 ? '' : stderr }))).toEqual(
      Array(7).fill({ code: 0, stderr: '' }),
    )
    // Facts are there whole or not at all: those of the events, then with those of the statements.
    const [events, statements] = await withEngine(built, async (engine) => {
      const { rows } = await engine.query(
        // Not what another statement takes back.
        `select count(*) from staging.stg_learning_event
        where event_id in (select event_id from fact_learning_event) group by load_id order by 1 desc`,
      )
      return rows.map((row) => Number(row[0]))
    })
    const whole = [0, events, (events ?? 0) + (statements ?? 0), statements]
    expect(seen.map(({ facts }) => facts).filter((facts) => !whole.includes(facts))).toEqual([])
    await lpaOk(place, ['batch', '--quiet'])
    expect(await difference(built, place, CONTENT)).toBe('')
    expect(await faultsOf(place)).toEqual([])
    removePlace(place)
  })

  test('a load that began first and was committed last: its doubles lose, as in a rebuild', async () => {
    const place = copyPlace(empty, 'late')
    const lines = (note: string) =>
      Array.from({ length: 2000 }, (_, index) =>
        eventLine(`both-${index}`, index, { attributes: { note } }),
      ).join('\n')
    const slow = startLpa(place, ['load', '-', ...PATIENT], { stdin: { held: true } })
    // More than the head by which a format is recognised.
    slow.child.stdin?.write(`${lines('first to begin')}\n`)
    await loadIdTaken(place)
    writeFileSync(join(place.root, 'quick.ndjson'), `${lines('first to commit')}\n`)
    await lpaOk(place, ['load', 'quick.ndjson', '--quiet'])
    await lpaOk(place, ['batch', '--quiet'])
    slow.child.stdin?.end()
    expect(await slow.ended).toMatchObject({ code: 0 })
    await lpaOk(place, ['batch', '--quiet'])
    const note = "attributes ->> '$.note'"
    const sql = `select count(*), min(${note}), max(${note}) from fact_learning_event`
    const { stdout } = await lpaOk(place, ['query', '--sql', sql, '--format', 'csv'])
    expect(stdout).toContain('2000,first to commit,first to commit')
    const before = copyPlace(place, 'before')
    await lpaOk(place, ['batch', '--full', '--quiet'])
    expect(await difference(before, place, CONTENT)).toBe('')
    removePlace(place)
  })

  /** Until a load has begun: its number is taken before it reads. */
  async function loadIdTaken(place: Place): Promise<void> {
    for (;;) {
      const database = new DatabaseSync(join(place.warehouse, 'sequences.sqlite'), { timeout: 5000 })
      try {
        const made = database.prepare(`select 1 from sqlite_master where name = 'sequences'`).get()
        if (made && database.prepare('select 1 from sequences').get()) return
      } finally {
        database.close()
      }
      await sleep(20)
    }
  }
})
