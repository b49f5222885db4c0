import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ensureExtensions } from './extensions.ts'

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-extensions-'))
})

afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

/** A cache of its own with the real files; gives the folder of the files. */
async function copiedCache(): Promise<string> {
  const real = await ensureExtensions()
  const source = dirname(real.ducklake)
  vi.stubEnv('XDG_CACHE_HOME', folder)
  const target = join(folder, 'lpa', 'extensions', basename(dirname(source)), basename(source))
  mkdirSync(target, { recursive: true, mode: 0o700 })
  for (const file of [real.ducklake, real.sqliteScanner]) copyFileSync(file, join(target, basename(file)))
  return target
}

test('files in the cache are checked once and then vouched for by a stamp', async () => {
  const cache = await copiedCache()
  const files = await ensureExtensions()
  expect(files).toEqual({
    ducklake: join(cache, 'ducklake.duckdb_extension'),
    sqliteScanner: join(cache, 'sqlite_scanner.duckdb_extension'),
    verified: true,
  })
  const stamp = statSync(join(cache, 'verified.json'))
  expect(stamp.mode & 0o777).toBe(0o600)
  await ensureExtensions()
  expect(statSync(join(cache, 'verified.json')).mtimeMs).toBe(stamp.mtimeMs)
})

test('a file that was changed after its check is refused, and named', async () => {
  const cache = await copiedCache()
  await ensureExtensions()
  const file = join(cache, 'sqlite_scanner.duckdb_extension')
  chmodSync(file, 0o600)
  writeFileSync(file, 'x', { flag: 'a' })
  await expect(ensureExtensions()).rejects.toMatchObject({
    code: 'LPA-EXT-CHANGED',
    exit: 'notPermitted',
    message: expect.stringContaining(file),
  })
})

test('a cache folder that others could write is closed, and its stamp no longer believed', async () => {
  const cache = await copiedCache()
  await ensureExtensions()
  // A planted file, and a stamp that vouches for it: what somebody with write access could leave.
  const file = join(cache, 'ducklake.duckdb_extension')
  writeFileSync(file, 'planted')
  const { ino, size, mtimeNs } = statSync(file, { bigint: true })
  const stamp = join(cache, 'verified.json')
  const [first, second] = JSON.parse(readFileSync(stamp, 'utf8'))
  const forged = `${first.split(' ')[0]} ${ino} ${size} ${mtimeNs}`
  writeFileSync(stamp, JSON.stringify([forged, second]))
  expect((await ensureExtensions()).verified).toBe(true)
  chmodSync(cache, 0o777)
  await expect(ensureExtensions()).rejects.toMatchObject({ code: 'LPA-EXT-CHANGED' })
  expect(statSync(cache).mode & 0o777).toBe(0o700)
})

test("a folder of the user's own is taken unchecked, in either layout", async () => {
  const real = await ensureExtensions()
  for (const file of [real.ducklake, real.sqliteScanner]) writeFileSync(join(folder, basename(file)), 'own')
  expect(await ensureExtensions({ folder })).toMatchObject({
    ducklake: join(folder, 'ducklake.duckdb_extension'),
    verified: false,
  })
  // As DuckDB's INSTALL lays it out, named by the environment.
  vi.stubEnv('LPA_EXTENSIONS', dirname(dirname(dirname(real.ducklake))))
  expect(await ensureExtensions()).toEqual({ ...real, verified: false })
})

test('a folder without the files says which files belong there', async () => {
  await expect(ensureExtensions({ folder })).rejects.toMatchObject({
    code: 'LPA-EXT-FOLDER',
    exit: 'config',
    next: [expect.stringContaining('sqlite_scanner.duckdb_extension')],
  })
})

test('without any source the message names each and why it failed', async () => {
  vi.stubEnv('XDG_CACHE_HOME', folder)
  // Neither a network for DuckDB nor a python3 to be found.
  vi.stubEnv('PATH', folder)
  vi.stubEnv('http_proxy', 'http://127.0.0.1:9')
  vi.stubEnv('HTTP_PROXY', 'http://127.0.0.1:9')
  await expect(ensureExtensions()).rejects.toMatchObject({
    code: 'LPA-EXT-FETCH',
    exit: 'unavailable',
    next: [
      expect.stringMatching(/^DuckDB INSTALL: /),
      expect.stringMatching(/^pip download: .*python3/),
      expect.stringContaining('LPA_EXTENSIONS'),
    ],
  })
  const [version] = readdirSync(join(folder, 'lpa', 'extensions'))
  const [platform] = readdirSync(join(folder, 'lpa', 'extensions', version ?? ''))
  expect(readdirSync(join(folder, 'lpa', 'extensions', version ?? '', platform ?? ''))).toEqual([])
})

test('what the pinned DuckDB is called is what the driver runs', async () => {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  const reader = await connection.runAndReadAll('select version() as version')
  const real = await ensureExtensions()
  expect(basename(dirname(dirname(real.ducklake)))).toBe(reader.getRowObjects()[0]?.version)
})
