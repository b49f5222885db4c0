/** docs/other-tools.md as a user of these tools reads it, and that they see of an export what lpa itself does. */

import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { ROOT } from '../../../scripts/oclif-config.ts'
import { NoPython, pythonWith } from '../../../scripts/python.ts'
import { ensureExtensions } from '../../../src/engines/duckdb/extensions.ts'
import { exactJson } from '../../../src/output.ts'
import { exportCore } from '../../../src/pipeline/export.ts'
import { generateCampus } from '../../../src/pipeline/sample/campus.ts'
import { TryWarehouse } from '../../try-warehouse.ts'

const HERE = dirname(fileURLToPath(import.meta.url))
const PAGE = readFileSync(join(ROOT, 'docs', 'other-tools.md'), 'utf8')
const { signal } = new AbortController()

let python = ''
let missing: string | undefined
let its: TryWarehouse
/** An empty home folder, in which DuckDB of Python finds its extensions. */
let home: string

beforeAll(async () => {
  python = await pythonWith(join(HERE, 'requirements.txt'), 'python').catch((error) => {
    if (!(error instanceof NoPython)) throw error
    missing = error.message
    return ''
  })
  if (missing !== undefined) return
  its = await TryWarehouse.create('[sources.campus]\nuri = "exports/*"\n[load]\nmax_rejects = "100%"\n')
  await generateCampus(join(its.folder, 'exports'), { learners: 40, events: 400, seed: 7, badRows: 0 })
  await its.load('campus')
  await its.build()
  home = mkdtempSync(join(tmpdir(), 'lpa-home-'))
  await placeExtensions()
  placeCommands()
}, 600_000)
afterAll(() => {
  its?.[Symbol.dispose]()
  if (home !== undefined) rmSync(home, { recursive: true })
})
beforeEach(({ skip }) => {
  if (missing !== undefined) skip(missing)
})

function inPython(args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(python, ['-B', ...args], {
    cwd: its.folder,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: home, LANG: 'C.UTF-8', TZ: 'America/New_York' },
  })
  expect(status, stderr).toBe(0)
  return stdout
}

/** Where DuckDB would put them when it fetches them. */
async function placeExtensions(): Promise<void> {
  const files = await ensureExtensions(
    process.env.LPA_EXTENSIONS ? { folder: process.env.LPA_EXTENSIONS } : {},
  )
  const print =
    'import duckdb; print(*duckdb.execute("pragma version").fetchone()[:1], duckdb.execute("pragma platform").fetchone()[0])'
  const [version = '', platform = ''] = inPython(['-c', print]).trim().split(' ')
  const folder = join(home, '.duckdb', 'extensions', version, platform)
  mkdirSync(folder, { recursive: true })
  copyFileSync(files.ducklake, join(folder, 'ducklake.duckdb_extension'))
  copyFileSync(files.sqliteScanner, join(folder, 'sqlite_scanner.duckdb_extension'))
}

/** lpa and dbt, as a shell finds them. */
function placeCommands(): void {
  mkdirSync(join(home, 'bin'))
  const commands = {
    lpa: `"${process.execPath}" "${join(ROOT, 'bin', 'run.js')}"`,
    dbt: `"${python}" -B -c 'from dbt.cli.main import cli; cli()'`,
  }
  for (const [name, command] of Object.entries(commands)) {
    const file = join(home, 'bin', name)
    writeFileSync(file, `#!/bin/sh\nexec ${command} "$@"\n`)
    chmodSync(file, 0o755)
  }
}

function typed(line: string): string {
  return execFileSync('sh', ['-e', '-c', line], {
    cwd: its.folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...{ PATH: `${join(home, 'bin')}:/usr/bin:/bin`, HOME: home, LANG: 'C.UTF-8' },
      ...{ XDG_CACHE_HOME: process.env.XDG_CACHE_HOME, LPA_EXTENSIONS: process.env.LPA_EXTENSIONS },
      // What dbt would tell its makers.
      DBT_SEND_ANONYMOUS_USAGE_STATS: 'false',
    },
  })
}

/** The blocks of a language, with the file that the line before each names. */
function blocks(language: string): { readonly file: string; readonly text: string }[] {
  const found = PAGE.matchAll(
    new RegExp(`(?:\`([\\w./]+)\`:\\n\\n)?^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'),
  )
  return [...found].map(([, file = '', text = '']) => ({ file, text }))
}

test('every snippet runs, and the tools agree', async () => {
  const [exportLine, dbtLine, lineageLine] = blocks('sh')
  typed(exportLine?.text ?? '')
  const printed = blocks('python').map(({ text }) => inPython(['-c', text]))
  const [most = []] = await its.rows(`select c.course_id, count(*) from fact_enrollment f
    join course c on c.course_key = f.course_key group by all order by 2 desc, 1 limit 1`)
  const [byDuckdb = '', byLake = '', byPolars = '', byPandas = ''] = printed
  for (const text of [byDuckdb, byPolars, byPandas])
    expect(text.split('\n').find((line) => line.includes(String(most[0])))).toContain(String(most[1]))
  const states = await its.rows('select status, count(*) from fact_enrollment group by all order by all')
  for (const [status, count] of states)
    expect(byLake.split('\n').find((line) => line.includes(String(status)))).toContain(String(count))

  mkdirSync(join(its.folder, 'models'))
  for (const { file, text } of [...blocks('yaml'), ...blocks('sql')])
    writeFileSync(join(its.folder, file), text)
  expect(typed(dbtLine?.text ?? '')).toMatch(/PASS=3 WARN=0 ERROR=0/)
  const marts = `import duckdb, json; print(json.dumps(duckdb.connect("marts.duckdb").execute("select * from enrollments_by_status order by 1").fetchall()))`
  expect(JSON.parse(inPython(['-c', marts]))).toEqual(states)

  typed(lineageLine?.text ?? '')
  const events = readFileSync(join(its.folder, 'lineage.ndjson'), 'utf8').trimEnd().split('\n')
  expect(Number(inPython([join(HERE, 'check_lineage.py'), 'lineage.ndjson']))).toBe(events.length)
  expect(events.length).toBeGreaterThan(10)
  expect(events.join('\n')).not.toContain(its.folder)
})

test('DuckDB, Polars and pandas read of an export what is in the warehouse', async () => {
  const folder = join(its.folder, 'read')
  const request = { tables: [], format: 'parquet' as const, force: false, raw: false }
  const { tables } = await exportCore(its.config, { folder, ...request }, signal, () => {})
  const expected: Record<string, object> = {}
  for (const { table } of tables)
    expected[table.slice('core.'.length)] = await its.read((engine) => engine.query(`select * from ${table}`))
  writeFileSync(join(its.folder, 'expected.json'), exactJson(expected))
  const found = JSON.parse(inPython([join(HERE, 'read_export.py'), 'read', 'expected.json']))
  expect(Object.keys(found)).toHaveLength(3 * tables.length)
  expect(Object.entries(found).filter(([, wrong]) => wrong !== null)).toEqual([])
})

test('Frictionless finds nothing wrong with the packages', async () => {
  for (const format of ['parquet', 'csv'] as const) {
    const request = { tables: [], format, force: false, raw: true }
    await exportCore(its.config, { folder: join(its.folder, format), ...request }, signal, () => {})
  }
  const check = (folder: string) => JSON.parse(inPython([join(HERE, 'check_package.py'), folder]))
  expect(['parquet', 'csv'].map(check)).toEqual([[], []])
})
