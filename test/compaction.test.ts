/** A warehouse is kept small without a reader, a kept snapshot, a load or `lpa doctor --verify` seeing anything else. */

import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, expect, test } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { buildIn } from '../src/pipeline/build.ts'
import { ledgerRows } from '../src/pipeline/ledger.ts'
import { withWarehouse } from '../src/pipeline/warehouse.ts'
import type { Engine } from '../src/types.ts'
import { initPlace, lpa, lpaOk, type Place, removePlaces } from './faults/lpa.ts'
import { TryWarehouse } from './try-warehouse.ts'

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

/** Files of a table that count now. */
function filesOf(warehouse: string, table: string): number {
  using catalog = new DatabaseSync(join(warehouse, 'catalog.sqlite'), { readOnly: true })
  const live = `select count(*) as found from ducklake_data_file
    where end_snapshot is null and table_id = (select table_id from ducklake_table where table_name = ?)`
  return Number(catalog.prepare(live).get(table)?.found)
}

test('small files with VARIANT are merged, and keep what they hold', { timeout: 120_000 }, async () => {
  using its = await TryWarehouse.create('[warehouse]\nattributes = "variant"\n')
  await withWarehouse(its.config, 'write', new AbortController().signal, async (engine) => {
    for (let number = 0; number < 24; number += 1)
      await commit(
        engine,
        `insert into core.fact_learning_event by name
         select 'e${number}-' || n as event_id, n as learner_key, 1 as course_key, 20260112 as date_key, 'viewed' as event_type,
           timestamp '2026-01-12 08:00:00' as occurred_at, 1 as quantity, 'lms' as source,
           json_object('number', ${number}, 'word', 'w' || n)::variant as attributes
         from range(1, 6) r(n)`,
      )
    const kept =
      'select event_id, typeof(attributes), attributes::json::varchar from core.fact_learning_event order by 1'
    const before = await rows(engine, kept)
    expect(before).toHaveLength(120)
    expect(before[0]).toEqual(['e0-1', 'VARIANT', '{"number":0,"word":"w1"}'])
    expect(filesOf(its.config.warehouse.path, 'fact_learning_event')).toBe(24)
    expect(await engine.compact()).toBeGreaterThan(0)
    expect(filesOf(its.config.warehouse.path, 'fact_learning_event')).toBe(1)
    expect(await rows(engine, kept)).toEqual(before)
  })
})

/** As if hours had passed: DuckLake tells times by its catalog. */
function inCatalog(place: Place, work: (database: DatabaseSync) => void): void {
  // Who changes the catalog behind lpa would be told so.
  rmSync(join(place.warehouse, 'SHA256SUMS'), { force: true })
  const database = new DatabaseSync(join(place.warehouse, 'catalog.sqlite'))
  try {
    work(database)
  } finally {
    database.close()
  }
}

const commit = (engine: Engine, ...statements: readonly string[]) =>
  engine.transaction(async () => {
    for (const statement of statements) await engine.execute(statement)
  })

test('of older hours the last state stays, and what the others needed goes', {
  timeout: 120_000,
}, async () => {
  const place = await initPlace('thinned')
  const versions: string[] = []
  await open(place, 'write', async (engine) => {
    await commit(engine, 'create table core.numbers (n integer)', 'create table core.offsets (n integer)')
    for (let number = 0; number < 6; number += 1) {
      await commit(
        engine,
        'delete from core.numbers',
        `insert into core.numbers select ${number} from range(100)`,
        'delete from core.offsets',
        `insert into core.offsets values (${number})`,
      )
      versions.push(await engine.version())
    }
  })
  const [first, , third, , fifth, last] = versions as [string, string, string, string, string, string]
  const hoursAgo = (hours: number) =>
    new Date(Date.now() - 3_600_000 * hours).toISOString().replace('T', ' ').replace('Z', '+00')
  const date = (version: string, time: string) =>
    inCatalog(place, (catalog) =>
      catalog
        .prepare(
          'update ducklake_snapshot set snapshot_time = ? where snapshot_id <= ? and snapshot_time > ?',
        )
        .run(time, Number(version), time),
    )
  // The first is too old, the second and third are of one hour, the fourth and fifth of another; the sixth is of now.
  date(fifth, hoursAgo(3))
  date(third, hoursAgo(5))
  date(first, hoursAgo(24 * 31))
  await open(place, 'write', (engine) => engine.compact())

  const seen = (version: string) =>
    open(
      place,
      'read',
      (engine) =>
        rows(engine, 'select max(n), count(*), (select max(n) from core.offsets) from core.numbers'),
      version,
    )
  expect(await seen(last)).toEqual([[5, 100, 5]])
  expect(await seen(fifth)).toEqual([[4, 100, 4]])
  expect(await seen(third)).toEqual([[2, 100, 2]])
  for (const version of [versions[0], versions[1], versions[3]])
    await expect(seen(String(version))).rejects.toThrow('no such state')
  inCatalog(place, (catalog) => {
    const [inlined] = catalog
      .prepare(`select table_name from ducklake_inlined_data_tables
      where table_id = (select table_id from ducklake_table where table_name = 'offsets')`)
      .all()
    expect(catalog.prepare(`select count(*) as kept from ${inlined?.table_name}`).get()?.kept).toBe(3)
  })

  const files = () => readdirSync(join(place.warehouse, 'data', 'core', 'numbers')).length
  expect(files()).toBe(6)
  inCatalog(place, (catalog) =>
    catalog.prepare('update ducklake_files_scheduled_for_deletion set schedule_start = ?').run(hoursAgo(2)),
  )
  await open(place, 'write', (engine) => engine.compact())
  expect(files()).toBe(3)
  expect(await seen(third)).toEqual([[2, 100, 2]])
  const verified = await lpa(place, ['doctor', '--verify', '--json', '--quiet'])
  expect(verified.stdout).not.toMatch(/ORPHANS|DAMAGE|missing/)
})

test('rows leave the catalog, deleted ones leave their files, and files of some megabytes are merged too', {
  timeout: 120_000,
}, async () => {
  const place = await initPlace('grown')
  const count = (database: DatabaseSync, table: string, sql: string) =>
    Number(
      database
        .prepare(`${sql} and table_id = (select table_id from ducklake_table where table_name = '${table}')`)
        .get()?.found,
    )
  await open(place, 'write', async (engine) => {
    for (const table of ['few', 'days', 'large'])
      await commit(engine, `create table core.${table} (n integer, word varchar)`)
    for (let number = 0; number < 115; number += 1)
      await commit(engine, `insert into core.few select ${number}, '' from range(9)`)
    for (let number = 0; number < 22; number += 1) {
      await commit(
        engine,
        `insert into core.days select range, '' from range(${40 * number}, ${40 * number + 40})`,
      )
      await commit(engine, `delete from core.days where n >= ${40 * number} and n % 40 > 0`)
      await commit(
        engine,
        `insert into core.large select range, md5(cast(random() as varchar)) from range(60000)`,
      )
    }
    const version = await engine.version()
    expect(await engine.compact()).toBe(3)
    expect(await engine.compact()).toBe(0)
    expect(await rows(engine, 'select count(*), max(n) from core.few')).toEqual([[1035, 114]])
    expect(await rows(engine, 'select count(*), sum(n) from core.days')).toEqual([[22, 9240]])
    expect(await rows(engine, 'select count(*) from core.large')).toEqual([[22 * 60_000]])
    expect(await rows(engine, `select count(*) from core.few at (version => ${version})`)).toEqual([[1035]])
  })
  inCatalog(place, (catalog) => {
    const live = 'select count(*) as found from ducklake_data_file where end_snapshot is null'
    expect([
      count(catalog, 'few', live),
      count(catalog, 'days', live),
      count(catalog, 'large', live),
    ]).toEqual([1, 1, 1])
    const [inlined] = catalog
      .prepare(`select table_name from ducklake_inlined_data_tables
      where table_id = (select table_id from ducklake_table where table_name = 'few')`)
      .all()
    expect(catalog.prepare(`select count(*) as found from ${inlined?.table_name}`).get()?.found).toBe(0)
  })
})

test('a clock that was set back hides no load from the checks, and turns no order', {
  timeout: 120_000,
}, async () => {
  const place = await initPlace('clock')
  const config = loadConfig({ cwd: place.root, env: { LPA_EXTENSIONS: process.env.LPA_EXTENSIONS } })
  const build = (checks: boolean) =>
    open(place, 'write', (engine) =>
      buildIn(config, engine, { select: [], full: false, runId: 'clock', checks }, { onModel: () => {} }),
    )
  await lpaOk(place, ['load', '-', '--quiet'], { stdin: `${events(1)}\n` })
  await build(true)
  await open(place, 'write', (engine) =>
    commit(
      engine,
      `update meta.checks set checked_at = timestamp '2999-01-01'`,
      `update meta.loads set committed_at = timestamp '2999-01-01'`,
    ),
  )
  await lpaOk(place, ['load', '-', '--quiet'], { stdin: `${events(2)}\n` })
  await build(false)
  const unchecked = () => open(place, 'read', (engine) => ledgerRows(engine, 'unchecked-loads'))
  expect(await unchecked()).toEqual([[2]])
  expect((await build(true)).checks.length).toBeGreaterThan(0)
  expect(await unchecked()).toEqual([])
  expect(await open(place, 'read', (engine) => ledgerRows(engine, 'loads'))).toEqual([
    [1, 20],
    [2, 20],
  ])
  expect(
    await open(place, 'read', (engine) => rows(engine, 'select max(committed_at) from meta.loads')),
  ).toEqual([['2999-01-01T00:00:00.000001Z']])
})
