import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  assertUnchanged,
  type Damage,
  recordChecksums,
  refuseDamagedCatalog,
  unrecordCatalog,
  verifyChecksums,
} from './checksums.ts'
import { openDuckLake } from './engine.ts'

const folder = mkdtempSync(join(tmpdir(), 'lpa-checksums-'))
const open = (mode: 'write' | 'create') =>
  openDuckLake({ folder, memoryLimit: '300MB', timezone: 'UTC', timeTravelMs: 0, lockWaitMs: 5000, mode })

beforeAll(async () => {
  const engine = await open('create')
  await engine.transaction(async () => {
    await engine.execute('create table core.numbers (n integer, name varchar)')
    await engine.execute(`insert into core.numbers select i, 'name ' || i from range(2000) t(i)`)
  })
  await engine.transaction(() => engine.execute('delete from core.numbers where n % 3 = 0'))
  await engine.close()
})

afterAll(() => rmSync(folder, { recursive: true }))

const damages = async () => (await verifyChecksums(folder, 0)).damages
const dataFiles = () =>
  readdirSync(join(folder, 'data'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.parquet'))
    .map((name) => `data/${name}`)

/** Turns one bit round. Twice is as if nothing had been. */
function flip(path: string, bit: number): void {
  const file = openSync(join(folder, path), 'r+')
  const byte = new Uint8Array(1)
  readSync(file, byte, 0, 1, bit >> 3)
  byte[0] = (byte[0] ?? 0) ^ (1 << (bit & 7))
  writeSync(file, byte, 0, 1, bit >> 3)
  closeSync(file)
}

test('a whole warehouse has no damage, and every file was read', async () => {
  const { files, bytes, damages } = await verifyChecksums(folder, 0)
  expect(damages).toEqual([])
  // The catalog, the rows, the deletions.
  expect(files).toBe(3)
  expect(bytes).toBeGreaterThan(statSync(join(folder, 'catalog.sqlite')).size)
})

test('each of 100 single-bit flips is found', async () => {
  const seed = Number(process.env.LPA_TEST_SEED ?? Date.now() % 1_000_000)
  const random = randomFrom(seed)
  const files = ['catalog.sqlite', 'SHA256SUMS', ...dataFiles()]
  for (let round = 0; round < 100; round += 1) {
    const path = files[Math.floor(random() * files.length)] as string
    const bit = Math.floor(random() * statSync(join(folder, path)).size * 8)
    flip(path, bit)
    expect(await damages(), `LPA_TEST_SEED=${seed}: bit ${bit} of ${path}`).not.toEqual([])
    flip(path, bit)
  }
  expect(await damages()).toEqual([])
})

test('a missing file is named', async () => {
  const path = dataFiles()[0] as string
  renameSync(join(folder, path), join(folder, 'elsewhere'))
  expect(await damages()).toEqual([{ path, kind: 'missing' }])
  renameSync(join(folder, 'elsewhere'), join(folder, path))
})

test('a run refuses to write into a damaged catalog, and so to forget the damage', async () => {
  // In a free part of the last page: SQLite itself does not see it.
  const bit = statSync(join(folder, 'catalog.sqlite')).size * 8 - 4096 * 8 + 20_000
  flip('catalog.sqlite', bit)
  const engine = await open('write')
  const work = engine.transaction(() => engine.execute('delete from core.numbers'))
  await expect(work).rejects.toMatchObject({ code: 'LPA-WAREHOUSE-DAMAGED', exit: 'io' })
  await engine.close()
  expect(await damages()).toEqual([{ path: 'catalog.sqlite', kind: 'changed' }])
  flip('catalog.sqlite', bit)
  expect(await damages()).toEqual([])
})

test('what a killed run did not record is told apart from damage, and damage stays known', async () => {
  const list = join(folder, 'SHA256SUMS')
  const before = readFileSync(list)
  const engine = await open('write')
  await engine.transaction(() =>
    engine.execute(`insert into core.numbers select i, 'more' from range(9000, 9500) t(i)`),
  )
  await engine.close()
  // As if the process had ended between its commit and its record.
  writeFileSync(list, before)
  const unrecorded: Damage[] = [
    { path: 'catalog.sqlite', kind: 'unrecorded' },
    { path: expect.stringContaining('data/core/numbers/'), kind: 'unrecorded' },
  ]
  expect(await damages()).toEqual(unrecorded)

  const listed = / {2}(data\S+)/.exec(before.toString())?.[1] as string
  flip(listed, 800)
  await recordChecksums(folder)
  expect(await damages()).toEqual([{ path: listed, kind: 'changed' }])
  flip(listed, 800)
  expect(await damages()).toEqual([])
})

test('a reader that looks at an earlier snapshot makes nothing look damaged', async () => {
  const more = async () => {
    const engine = await open('write')
    await engine.transaction(() => engine.execute(`insert into core.numbers values (1, 'beside a reader')`))
    await engine.close()
  }
  // A process of its own: SQLite's locks are a process's.
  const reader = spawn(process.execPath, [
    ...['--no-warnings', '--eval'],
    `const catalog = new (require('node:sqlite').DatabaseSync)(process.argv[1])
     catalog.exec('begin')
     catalog.prepare('select count(*) from ducklake_snapshot').get()
     console.log('reading')
     process.stdin.resume()`,
    join(folder, 'catalog.sqlite'),
  ])
  await once(reader.stdout, 'data')
  await more()
  expect((await damages()).filter(({ kind }) => kind !== 'unrecorded')).toEqual([])
  reader.stdin.end()
  await once(reader, 'close')
  // The log is moved into the catalog only now.
  await more()
  expect(await damages()).toEqual([])
})

/** mulberry32 */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

test('a catalog that is about to change without a snapshot has no checksum, and its files have theirs', async () => {
  await recordChecksums(folder)
  await unrecordCatalog(folder)
  const catalog = new DatabaseSync(join(folder, 'catalog.sqlite'))
  catalog.exec(`update ducklake_snapshot set snapshot_time = '2026-01-01 00:00:00+00'`)
  catalog.close()
  await refuseDamagedCatalog(folder)
  const unrecorded: Damage = { path: 'catalog.sqlite', kind: 'unrecorded' }
  expect(await damages()).toEqual([unrecorded])
  const [file] = dataFiles() as [string]
  flip(file, 99)
  expect(await damages()).toEqual([unrecorded, { path: file, kind: 'changed' }])
  const sound = new Set<string>()
  const { signal } = new AbortController()
  const unchanged = () => assertUnchanged(folder, [file.slice('data/'.length)], sound, signal)
  const damaged = { code: 'LPA-WAREHOUSE-DAMAGED', exit: 'io', where: join(folder, file) }
  await expect(unchanged()).rejects.toMatchObject(damaged)
  flip(file, 99)
  renameSync(join(folder, file), join(folder, 'elsewhere'))
  await expect(unchanged()).rejects.toMatchObject(damaged)
  renameSync(join(folder, 'elsewhere'), join(folder, file))
  await unchanged()
  expect([...sound]).toEqual([file.slice('data/'.length)])
  await recordChecksums(folder)
  expect(await damages()).toEqual([])
})
