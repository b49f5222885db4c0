/** The two ways in which extension files arrive, each from a server or an index of the test's own. */

import { execFile } from 'node:child_process'
import {
  createReadStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createGzip, constants as zlib } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ensureExtensions } from '../src/engines/duckdb/extensions.ts'

const run = promisify(execFile)
const SCRIPT = fileURLToPath(new URL('../scripts/fetch-extensions.ts', import.meta.url))

let folder = ''
let server: Server | undefined

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-install-'))
})

afterEach(() => {
  server?.closeAllConnections()
  server?.close()
  server = undefined
  rmSync(folder, { recursive: true, force: true })
})

const cache = () => {
  const base = join(folder, 'cache', 'lpa', 'extensions')
  const [version = ''] = readdirSync(base)
  const [platform = ''] = readdirSync(join(base, version))
  return join(base, version, platform)
}

/** A proxy that stands for DuckDB's server: gives the real files, or what `body` says. */
async function serve(body?: string): Promise<string> {
  const real = dirname((await ensureExtensions()).ducklake)
  const started = createServer((request, response) => {
    const gzip = createGzip({ level: zlib.Z_NO_COMPRESSION })
    gzip.pipe(response)
    if (body === undefined) createReadStream(join(real, basename(request.url ?? '', '.gz'))).pipe(gzip)
    else gzip.end(body)
  })
  server = started
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}`
}

/** The script in a process of its own, with an empty cache, no index and DuckDB's server replaced. */
const fetchWith = (proxy: string, more: NodeJS.ProcessEnv = {}) =>
  run(process.execPath, ['--import', 'tsx', SCRIPT], {
    env: {
      ...process.env,
      LPA_EXTENSIONS: '',
      XDG_CACHE_HOME: join(folder, 'cache'),
      HTTP_PROXY: proxy,
      PIP_NO_INDEX: '1',
      PIP_FIND_LINKS: folder,
      ...more,
    },
  })

test('DuckDB installs them, privately, and no temporary file stays', async () => {
  await fetchWith(await serve())
  expect(readdirSync(cache()).sort()).toEqual([
    'ducklake.duckdb_extension',
    'sqlite_scanner.duckdb_extension',
    'verified.json',
  ])
  for (const name of readdirSync(cache())) expect(statSync(join(cache(), name)).mode & 0o777).toBe(0o600)
})

test('four processes at once all end with the same files', async () => {
  const proxy = await serve()
  const runs = await Promise.all([1, 2, 3, 4].map(() => fetchWith(proxy)))
  expect(new Set(runs.map(({ stderr }) => stderr)).size).toBe(1)
  expect(readdirSync(cache()).filter((name) => name.startsWith('.'))).toEqual([])
})

test('where DuckDB gets something else, pip is asked', async () => {
  await wheels()
  await fetchWith(await serve('not an extension'))
  expect(readdirSync(cache())).toContain('verified.json')
})

test('wrong bytes from every source are refused and nothing is kept', async () => {
  await expect(fetchWith(await serve('not an extension'))).rejects.toMatchObject({
    code: 69,
    stderr: expect.stringMatching(/LPA-EXT-FETCH[\s\S]*DuckDB INSTALL: [\s\S]*pip download: /),
  })
  expect(readdirSync(cache())).toEqual([])
})

/** Wheels as PyPI has them, made of the real files. */
async function wheels(): Promise<void> {
  const real = await ensureExtensions()
  const version = basename(dirname(dirname(real.ducklake)))
  const number = version.slice(1)
  for (const file of [real.ducklake, real.sqliteScanner]) {
    const name = `duckdb_extension_${basename(file, '.duckdb_extension')}`
    const info = join(folder, `${name}-${number}.dist-info`)
    mkdirSync(info)
    writeFileSync(join(info, 'METADATA'), `Metadata-Version: 2.1\nName: ${name}\nVersion: ${number}\n`)
    writeFileSync(join(info, 'WHEEL'), 'Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: py3-none-any\n')
    writeFileSync(join(info, 'RECORD'), '')
    const program = `import sys, zipfile, os
wheel, extension, inside, info = sys.argv[1:]
with zipfile.ZipFile(wheel, 'w') as z:
    z.write(extension, inside)
    for name in os.listdir(info):
        z.write(os.path.join(info, name), os.path.basename(info) + '/' + name)`
    await run('python3', [
      '-c',
      program,
      join(folder, `${name}-${number}-py3-none-any.whl`),
      file,
      `${name}/extensions/${version}/${basename(file)}`,
      info,
    ])
  }
}
