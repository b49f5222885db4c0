import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Engine, OpenMode } from '../../types.ts'
import { openDuckLake } from './engine.ts'
import { takeWriterLock } from './writer-lock.ts'

const folder = mkdtempSync(join(tmpdir(), 'lpa-upkeep-'))
const catalog = join(folder, 'catalog.sqlite')
const FILES = 6
const ROWS = 500
const KEEP = { expires: false }
const EXPIRE = { expires: true }

async function open<T>(mode: OpenMode, work: (engine: Engine) => Promise<T>): Promise<T> {
  const lake = { folder, memoryLimit: '300MB', timezone: 'UTC', timeTravelMs: 0, lockWaitMs: 0, mode }
  const engine = await openDuckLake(lake)
  try {
    return await work(engine)
  } finally {
    await engine.close()
  }
}

/** Each of its files from a commit of its own. */
async function fill(engine: Engine, table: string): Promise<void> {
  await engine.transaction(() => engine.execute(`create table if not exists core.${table} (n integer)`))
  for (let file = 0; file < FILES; file += 1)
    await engine.transaction(() =>
      engine.execute(`insert into core.${table} select ${file * ROWS} + i from range(${ROWS}) t(i)`),
    )
}

/** A question to the catalog; who changes it behind lpa would be told so. */
function ask(sql: string, readOnly = true): readonly Record<string, unknown>[] {
  if (!readOnly) rmSync(join(folder, 'SHA256SUMS'), { force: true })
  using database = new DatabaseSync(catalog, { readOnly })
  return database.prepare(sql).all()
}

const livePaths = (of: 'data' | 'delete', table: string) =>
  ask(`select f.path from ducklake_${of}_file f join ducklake_table t using (table_id)
    where t.table_name = '${table}' and f.end_snapshot is null order by 1`).map(({ path }) => String(path))

function flip(path: string): void {
  const bytes = readFileSync(path)
  bytes[bytes.length - 100] = (bytes[bytes.length - 100] ?? 0) ^ 1
  writeFileSync(path, bytes)
}

const pathOf = (table: string, name: string) => join(folder, 'data', 'core', table, name)

beforeAll(() =>
  open('create', async (engine) => {
    for (const table of ['sound', 'torn', 'thinned']) await fill(engine, table)
    for (let file = 0; file < FILES; file += 1)
      await engine.transaction(() =>
        engine.execute(`delete from core.thinned where n // ${ROWS} = ${file} and n % 3 = 0`),
      )
  }),
)
afterAll(() => rmSync(folder, { recursive: true }))

test('a plan reads only, and not even moves the log of the catalog into it', async () => {
  const log = `${catalog}-wal`
  const other = new DatabaseSync(catalog)
  other.exec('pragma journal_mode = wal; create table of_a_test (n); drop table of_a_test')
  const [left, leftLog] = [readFileSync(catalog), readFileSync(log)]
  other.close()
  // As a run leaves them that is killed.
  writeFileSync(catalog, left)
  writeFileSync(log, leftLog)
  const planned = await open('read', (engine) => engine.planUpkeep?.(KEEP) ?? Promise.reject())
  expect(planned).toMatchObject({ files: 3 * FILES, states: 0 })
  expect([readFileSync(catalog), readFileSync(log)]).toEqual([left, leftLog])
})

test('a damaged file of deletions does not become a part of rows', async () => {
  const [file = ''] = livePaths('delete', 'thinned')
  expect(livePaths('delete', 'thinned')).toHaveLength(FILES)
  const before = livePaths('data', 'thinned')
  const path = pathOf('thinned', file)
  flip(path)
  const { failure } = (await open('write', (engine) => engine.upkeep?.(KEEP) ?? Promise.reject())) ?? {}
  expect(failure).toMatchObject({ code: 'LPA-WAREHOUSE-DAMAGED', where: path })
  expect(livePaths('data', 'thinned')).toEqual(before)
  flip(path)
})

test('what was done is told beside what it failed with, and the next one does the rest', async () => {
  const rows =
    'select (select sum(n) from core.sound), (select sum(n) from core.torn), (select sum(n) from core.thinned)'
  const before = await open('read', (engine) => engine.query(rows))
  const path = pathOf('torn', livePaths('data', 'torn')[0] ?? '')
  flip(path)
  const torn = await open('write', (engine) => engine.upkeep?.(KEEP) ?? Promise.reject())
  expect(torn).toMatchObject({ files: 2 * FILES, failure: { code: 'LPA-WAREHOUSE-DAMAGED', where: path } })
  flip(path)
  const mended = await open('write', (engine) => engine.upkeep?.(KEEP) ?? Promise.reject())
  expect(mended).toMatchObject({ files: FILES, states: 0 })
  expect(mended).not.toHaveProperty('failure')
  expect(await open('read', (engine) => engine.query(rows))).toEqual(before)
})

test('it waits for another writer in the middle of its steps, and stops when it is asked to', async () => {
  await open('write', async (engine) => {
    await fill(engine, 'sound')
    const other = await takeWriterLock(folder, 0)
    const kept = engine.upkeep?.(KEEP)
    await sleep(500)
    other.release()
    expect(await kept).toMatchObject({ files: FILES + 1 })
    await fill(engine, 'sound')
    engine.interrupt()
    const stopped = { name: 'AbortError' }
    await expect(engine.upkeep?.(KEEP)).rejects.toMatchObject(stopped)
    await expect(engine.compact()).rejects.toMatchObject(stopped)
  })
  expect(livePaths('data', 'sound')).toHaveLength(FILES + 1)
})

test('states go only where that is asked for', async () => {
  const states = () => Number(ask('select count(*) as states from ducklake_snapshot')[0]?.states)
  await open('write', (engine) => engine.upkeep?.(KEEP) ?? Promise.reject())
  const before = states()
  ask(`update ducklake_snapshot set snapshot_time = '2026-01-01 08:00:00+00'`, false)
  await open('write', async (engine) => {
    expect(await engine.planUpkeep?.(KEEP)).toMatchObject({ states: 0 })
    expect(await engine.planUpkeep?.(EXPIRE)).toMatchObject({ states: before - 1 })
    expect(await engine.upkeep?.(KEEP)).toMatchObject({ states: 0 })
  })
  expect(states()).toBe(before)
  expect(await open('write', (engine) => engine.upkeep?.(EXPIRE) ?? Promise.reject())).toMatchObject({
    states: before - 1,
  })
})

test('more unneeded files than go in one step all go', async () => {
  const many = 10_500
  ask(
    `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${many})
     insert into ducklake_files_scheduled_for_deletion
     select 1000000 + i, 'core/gone/' || i || '.parquet', 1, '2026-01-01 08:00:00+00' from n`,
    false,
  )
  const kept = await open('write', (engine) => engine.upkeep?.(KEEP) ?? Promise.reject())
  expect(kept).toMatchObject({ unneeded: many })
})
