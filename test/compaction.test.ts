/** Small files are merged without a reader, a snapshot, a load or `lpa doctor --verify` seeing anything else. */

import { afterAll, expect, test } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { withWarehouse } from '../src/pipeline/warehouse.ts'
import type { Engine } from '../src/types.ts'
import { initPlace, lpa, lpaOk, type Place, removePlaces } from './faults/lpa.ts'

afterAll(removePlaces)

const open = <T>(place: Place, mode: 'read' | 'write', work: (engine: Engine) => Promise<T>, at?: string) => {
  const config = loadConfig({ cwd: place.root, env: { LPA_EXTENSIONS: process.env.LPA_EXTENSIONS } })
  const never = new AbortController().signal
  return withWarehouse(config, mode, never, work, at === undefined ? {} : { at: { version: at } })
}

const events = (number: number) =>
  Array.from({ length: 20 }, (_, index) =>
    JSON.stringify({
      ...{ event_id: `e${number}-${index}`, event_type: 'viewed', learner_id: `p${index}`, course_id: 'c1' },
      ...{ occurred_at: `2026-0${1 + (index % 3)}-12T08:00:00Z`, attributes: { number } },
    }),
  ).join('\n')

const ROWS = `select load_id, position, event_id, occurred_at, attributes from staging.stg_learning_event order by all`
const COUNTS = `select (select count(*) from raw.raw_learning_events), (select count(*) from fact_learning_event)`
const rows = async (engine: Engine, sql: string) => (await engine.query(sql)).rows

test('small files are merged, and all that is read stays the same', { timeout: 240_000 }, async () => {
  const place = await initPlace('compaction')
  for (let number = 0; number < 24; number += 1)
    await lpaOk(place, ['load', '-', '--quiet'], { stdin: `${events(number)}\n` })
  await lpaOk(place, ['batch', '--quiet'])
  const before = await open(place, 'read', async (engine) => ({
    rows: await rows(engine, ROWS),
    version: await engine.version(),
  }))
  const files = async () =>
    (
      JSON.parse((await lpaOk(place, ['doctor', '--json', '--quiet'])).stdout).facts as {
        name: string
        value: string
      }[]
    )
      .find(({ name }) => name === 'staging.stg_learning_event')
      ?.value.replace(/,.*/, '')
  expect(await files()).toBe('24 files')

  // Beside a reader, which holds what it sees.
  await open(place, 'read', async (reader) => {
    const counted = await rows(reader, COUNTS)
    expect(await open(place, 'write', (engine) => engine.compact())).toBeGreaterThan(0)
    expect(await rows(reader, COUNTS)).toEqual(counted)
  })
  expect(await files()).toBe('1 file')
  expect(await open(place, 'read', (engine) => rows(engine, ROWS))).toEqual(before.rows)
  expect(await open(place, 'read', (engine) => rows(engine, ROWS), before.version)).toEqual(before.rows)
  expect(await open(place, 'write', (engine) => engine.compact())).toBe(0)

  // A later run sweeps what nobody knows: not this.
  await lpaOk(place, ['load', '-', '--quiet'], { stdin: `${events(99)}\n` })
  await lpaOk(place, ['batch', '--quiet'])
  expect(await open(place, 'read', (engine) => rows(engine, ROWS), before.version)).toEqual(before.rows)
  expect(await open(place, 'read', (engine) => rows(engine, COUNTS))).toEqual([[500, 500]])
  const verified = await lpa(place, ['doctor', '--verify', '--json', '--quiet'])
  expect(verified.code, verified.stderr + verified.stdout).toBe(0)
})
