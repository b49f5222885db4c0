import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Config, loadConfig } from '../src/config.ts'
import { takeWriterLock } from '../src/engines/duckdb/writer-lock.ts'
import { diagnose } from '../src/pipeline/doctor.ts'
import { init } from '../src/pipeline/init.ts'
import { loadsOfOtherKeys, showKey } from '../src/pipeline/key.ts'
import { applySchema } from '../src/pipeline/schema.ts'
import { withWarehouse } from '../src/pipeline/warehouse.ts'
import type { Engine } from '../src/types.ts'
import { TryWarehouse } from './try-warehouse.ts'

const cwd = mkdtempSync(join(tmpdir(), 'lpa-doctor-'))
const { signal } = new AbortController()
const warehouse = join(cwd, 'warehouse')
let config: Config

const change = (work: (engine: Engine) => Promise<unknown>) =>
  withWarehouse(config, 'create', signal, (engine) => engine.transaction(() => work(engine)))

beforeAll(async () => {
  init({ cwd, folder: '.', sample: false })
  config = loadConfig({ cwd, env: {} })
  await withWarehouse(config, 'create', signal, (engine) => applySchema(engine))
  await change(async (engine) => {
    await engine.execute(
      `insert into staging.stg_learning_event
       select 'e' || i, 'a', 1, null, 0, 20260101, timestamp '2026-01-01 10:00:00' + to_minutes(i), 'viewed',
         null, null, null, null, null, null, 1, null, 'lms', 1, i
       from range(500) t(i)`,
    )
  })
})
afterAll(() => rmSync(cwd, { recursive: true }))

const examine = (request: { verify?: boolean; fix?: boolean } = {}, its = config) =>
  diagnose(its, { verify: false, fix: false, lpaVersion: '1.2.3', ...request }, signal, () => {})

const codes = async (...request: Parameters<typeof examine>) =>
  (await examine(...request)).findings.map(({ code }) => code)

test('every key of every kind of source is shown', async () => {
  const sources = [
    '[sources."a.b"]',
    'uri = "https://lrs.example/x"',
    'auth = "basic"\nuser = "lpa"\ntimeout = "5m"\nheaders = {A = "b"}',
    '[sources.bus]',
    'uri = "kafka://bus.example/clicks"',
    'auth = "plain"\nuser = "lpa"\nsecret_file = "s"\nca_file = "ca.pem"\ntls = true\ngroup = "etl"',
    '[sources.drop]',
    'uri = "dir:exports"\nmapping = "mine.sql"',
  ]
  const folder = mkdtempSync(join(tmpdir(), 'lpa-doctor-sources-'))
  writeFileSync(join(folder, 'lpa.toml'), sources.join('\n'))
  const { facts } = await examine({}, loadConfig({ cwd: folder, env: {} }))
  rmSync(folder, { recursive: true })
  const shown = Object.fromEntries(
    facts.map(({ name, value }) => [name, value.replace(/ \(lpa\.toml(:\d+)?\)$/, '')]),
  )
  expect(shown).toMatchObject({
    'sources.a.b.timeout': '5m',
    'sources.a.b.headers': '{"A":"b"}',
    'sources.bus.group': 'etl',
    'sources.bus.tls': 'true',
    'sources.bus.ca_file': join(folder, 'ca.pem'),
    'sources.drop.uri': `dir:${join(folder, 'exports')}`,
  })
})

test('a sound warehouse has no findings, and the facts say where values come from', async () => {
  let read = 0
  const { facts, findings } = await diagnose(
    { ...config },
    { verify: true, fix: false, lpaVersion: '1.2.3' },
    signal,
    (bytes) => {
      read = bytes
    },
  )
  expect(findings).toEqual([])
  const value = (name: string) => facts.find((fact) => fact.name === name)?.value
  expect(value('lpa')).toBe('1.2.3')
  expect(value('duckdb')).toMatch(/^v1\./)
  expect(value('warehouse.path')).toBe(`${warehouse} (${config.origin['warehouse.path']})`)
  expect(config.origin['warehouse.path']).toMatch(/lpa\.toml:\d+$/)
  expect(value('metrics.at_risk_days')).toBe('7 (default)')
  expect(value('staging.stg_learning_event')).toMatch(/^1 file/)
  expect(value('lock')).toBe('nobody is writing')
  expect(value('verified')).toMatch(/^2 files/)
  expect(read).toBeGreaterThan(readFileSync(join(warehouse, 'catalog.sqlite')).length)
})

test('an open key and an open folder are found, and closed by --fix', async () => {
  chmodSync(join(cwd, 'pseudonym.key'), 0o644)
  chmodSync(warehouse, 0o755)
  expect(await codes()).toEqual(['LPA-KEY-OPEN', 'LPA-DOCTOR-MODE'])
  const mended = await examine({ fix: true })
  expect(mended.findings).toEqual([])
  expect(mended.fixed).toHaveLength(2)
  expect(await codes()).toEqual([])
})

test('days of another time zone are found', async () => {
  const tokyo = { ...config, warehouse: { ...config.warehouse, timezone: 'Asia/Tokyo' } }
  expect(await codes({}, tokyo)).toEqual(['LPA-DOCTOR-ZONE'])
})

test('loads of another key are found', async () => {
  await change((engine) =>
    engine.execute(
      `insert into meta.loads values (20, 'lms', 'campus', 'x.csv', 'aa', 1, 1, 1, 0, 0, 0, 'bb', 'another key', null,
         now()::timestamp, now()::timestamp, null)`,
    ),
  )
  expect(await codes()).toEqual(['LPA-DOCTOR-KEY'])
  const [{ message, next } = { message: '', next: [] }] = (await examine()).findings
  expect(message).toMatch(/^1 of 1 load holds pseudonyms of another key than [0-9a-f]{16}:/)
  expect(next).toContain('  lpa load x.csv --source lms --mapping campus.sql')
  expect(loadsOfOtherKeys(await showKey(config, signal))).toBe(1)
  // As if the file that counts them had been lost.
  expect(await codes({ verify: true })).toEqual(['LPA-DOCTOR-KEY', 'LPA-DOCTOR-NUMBERS'])
  expect((await examine({ verify: true, fix: true })).fixed).toEqual([
    'The next load gets a number above 20.',
  ])
  await change((engine) => engine.execute('delete from meta.loads'))
  expect(await codes({ verify: true })).toEqual([])
})

test('drift and what is pending are found', async () => {
  await change((engine) => engine.execute('create table core.mine (a integer)'))
  await change((engine) => engine.execute('drop view core.learner'))
  expect(await codes()).toEqual(['LPA-DOCTOR-DRIFT', 'LPA-DOCTOR-SCHEMA'])
  // The view may be one of a newer lpa, as the table is.
  expect((await examine({ fix: true })).fixed).toEqual([])
  await change((engine) => engine.execute('drop table core.mine'))
  expect((await examine({ fix: true })).fixed).toEqual(['The view core.learner was made again.'])
  expect(await codes()).toEqual([])
})

test('files of killed runs are found, and taken away by --fix', async () => {
  const orphan = join(warehouse, 'data', 'core', 'dim_course', 'orphan.parquet')
  mkdirSync(join(warehouse, 'data', 'core', 'dim_course'), { recursive: true, mode: 0o700 })
  writeFileSync(orphan, 'PAR1', { mode: 0o600 })
  expect(await codes()).toEqual(['LPA-DOCTOR-ORPHANS'])
  expect(await codes({ fix: true })).toEqual([])
  expect(readdirSync(join(warehouse, 'data', 'core', 'dim_course'))).toEqual([])
})

test('a lock that is held, and a file that is gone, hide nothing of the rest', async () => {
  const lock = await takeWriterLock(warehouse, 0)
  const beside = await examine({ fix: true })
  lock.release()
  const data = join(warehouse, 'data')
  const file = readdirSync(data, { recursive: true, encoding: 'utf8' }).find((name) => /parquet$/.test(name))
  renameSync(join(data, file as string), join(cwd, 'elsewhere'))
  const without = await examine({ fix: true })
  renameSync(join(cwd, 'elsewhere'), join(data, file as string))
  for (const [{ facts, findings }, found] of [
    [beside, ['LPA-WAREHOUSE-LOCKED']],
    [without, ['LPA-DOCTOR-MISSING', 'LPA-WAREHOUSE-DAMAGED']],
  ] as const) {
    expect(findings.map(({ code }) => code)).toEqual(found)
    expect(facts.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['duckdb', 'schema', 'snapshots', 'staging.stg_learning_event']),
    )
  }
  expect(await codes({ verify: true })).toEqual([])
})

test('a changed byte in a data file stays known; one in the catalog ends the examination', async () => {
  const data = readdirSync(join(warehouse, 'data'), { recursive: true, encoding: 'utf8' })
  const file = join(warehouse, 'data', data.find((name) => name.endsWith('.parquet')) as string)
  const flip = (path: string) => {
    const bytes = readFileSync(path)
    bytes[bytes.length - 100] = (bytes[bytes.length - 100] ?? 0) ^ 1
    writeFileSync(path, bytes)
  }
  flip(file)
  expect(await codes({ verify: true })).toEqual(['LPA-DOCTOR-DAMAGED'])
  expect(await codes({ verify: true, fix: true })).toEqual(['LPA-DOCTOR-DAMAGED'])
  flip(file)
  expect(await codes({ verify: true })).toEqual([])

  const catalog = join(warehouse, 'catalog.sqlite')
  flip(catalog)
  const { facts, findings } = await examine({ verify: true })
  expect(findings.map(({ message }) => message)).toEqual(['catalog.sqlite is not as it was written.'])
  expect(facts.some(({ area }) => area === 'tables')).toBe(false)
  await expect(change((engine) => engine.execute('delete from core.dim_date'))).rejects.toMatchObject({
    code: 'LPA-WAREHOUSE-DAMAGED',
  })
  flip(catalog)
  expect(await codes({ verify: true })).toEqual([])
})

test('a catalog that has lost a file is forgiven only where all was read, and its files stay', async () => {
  using catalog = new DatabaseSync(join(warehouse, 'catalog.sqlite'))
  const lost = catalog.prepare(`delete from ducklake_data_file where path like '%.parquet' returning path`)
  expect(lost.all().length).toBeGreaterThan(0)
  catalog.close()
  const files = () => readdirSync(join(warehouse, 'data'), { recursive: true }).sort()
  const before = files()
  const refused = await examine({ fix: true })
  expect(refused.findings.map(({ code }) => code)).toEqual(['LPA-WAREHOUSE-DAMAGED'])
  expect(refused.fixed).toEqual([])
  expect(await codes({ verify: true })).toEqual(['LPA-DOCTOR-DAMAGED'])
  const forgiven = await examine({ verify: true, fix: true })
  expect(forgiven.findings.map(({ message }) => message)).toEqual([
    'catalog.sqlite is not as it was written.',
  ])
  expect(forgiven.fixed).toEqual([expect.stringMatching(/^catalog.sqlite was not as .* runs go on with it/)])
  expect(files()).toEqual(before)
  expect(await codes({ verify: true })).toEqual(['LPA-DOCTOR-ORPHANS'])
})

test('without a warehouse or a key it says how to begin', async () => {
  const empty = join(cwd, 'empty')
  mkdirSync(empty)
  const none = loadConfig({ cwd: empty, env: { LPA_WAREHOUSE_PATH: join(empty, 'w') }, flags: {} })
  const elsewhere = { ...none, privacy: { ...none.privacy, keyFile: join(empty, 'k') } }
  expect(await codes({ verify: true }, elsewhere)).toEqual(['LPA-KEY-MISSING', 'LPA-WAREHOUSE-MISSING'])
  expect(readdirSync(empty)).toEqual([])
})

test('data files without their catalog are kept: no command makes a new one over them', async () => {
  using lost = await TryWarehouse.create()
  const csv = 'category_id,category_name,parent_category_id\n'
  lost.write('categories.csv', `${csv}${Array.from({ length: 500 }, (_, n) => `c${n},C${n},`).join('\n')}\n`)
  await lost.load(join(lost.folder, 'categories.csv'))
  await lost.build()
  const folder = lost.config.warehouse.path
  const files = () =>
    readdirSync(join(folder, 'data'), { recursive: true })
      .filter((name) => String(name).endsWith('.parquet'))
      .sort()
  const before = files()
  expect(before.length).toBeGreaterThan(0)
  for (const make of [
    () => rmSync(join(folder, 'catalog.sqlite')),
    () => writeFileSync(join(folder, 'catalog.sqlite'), ''),
  ]) {
    make()
    for (const mode of ['create', 'write', 'read'] as const) {
      const opened = withWarehouse(lost.config, mode, signal, (engine) => applySchema(engine))
      await expect(opened).rejects.toMatchObject({ code: 'LPA-WAREHOUSE-DAMAGED', exitCode: 74 })
    }
    expect(files()).toEqual(before)
  }
})
