/** doctor's look into the open warehouse: versions, schema, files, loads. */

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import type { Config } from '../config.ts'
import { keptKeys, wayBack } from '../key-rotation.ts'
import type { Engine } from '../types.ts'
import { asFinding, type Diagnosis, inBytes, orFinding } from './diagnosis.ts'
import { damageFinding } from './doctor-folder.ts'
import { examineUpkeep } from './doctor-upkeep.ts'
import { ledgerRows } from './ledger.ts'
import { readOtherLoads, reloadsOf } from './reload.ts'
import { applySchema, planSchema } from './schema.ts'

export interface WarehouseRequest {
  readonly verify: boolean
  readonly fix: boolean
  /** Of the key that is configured. */
  readonly keyId: string | undefined
  readonly isWriting: boolean
  /** Whether somebody else's warehouse was opened to this user. */
  readonly isReader: boolean
  /** Files that are told of already. */
  readonly damaged: ReadonlySet<string>
  readonly signal: AbortSignal
}

/** Many such files take longer to read than one that holds the same. */
const SMALL_BYTES = 1_000_000

export async function examineWarehouse(
  engine: Engine,
  config: Config,
  request: WarehouseRequest,
  diagnosis: Diagnosis,
): Promise<void> {
  const { signal } = request
  const fix = request.fix && (await mayMend(engine, request, diagnosis))
  if (engine.can.files) await tellVersions(engine, config, diagnosis)
  const isComplete = await examineSchema(engine, { fix, signal }, diagnosis)
  const isWhole = !engine.can.files || (await examineFiles(engine, config, request, diagnosis))
  // What is damaged must not become a part of what is sound.
  if (!request.isReader && request.damaged.size === 0 && isWhole)
    await orFinding(() => examineUpkeep(engine, config, fix, diagnosis), signal, diagnosis)
  if (engine.can.files) await tellTables(engine, diagnosis)
  else await tellClustering(engine, diagnosis)
  if (!isComplete) return
  await orFinding(() => examineLoads(engine, config, request, diagnosis), signal, diagnosis)
  if (!request.verify || !engine.can.files) return
  await compareWithLedger(engine, config, request, diagnosis)
  await examineNumbers(engine, request.fix, diagnosis)
}

/**
 * Whether it can be written just now. The first transaction of a run takes away what killed runs left behind, by a catalog that
 * nobody can vouch for where the list of checksums is damaged.
 */
async function mayMend(
  engine: Engine,
  { damaged, signal }: WarehouseRequest,
  diagnosis: Diagnosis,
): Promise<boolean> {
  if (damaged.has('SHA256SUMS')) return false
  const swept = await orFinding(() => engine.transaction(async () => true), signal, diagnosis)
  return swept === true
}

async function tellVersions(engine: Engine, { warehouse }: Config, { facts }: Diagnosis): Promise<void> {
  const { ensureExtensions } = await import('../engines/duckdb/extensions.ts')
  const files = await ensureExtensions(warehouse.extensions ? { folder: warehouse.extensions } : {})
  const trust = files.verified ? 'as pinned' : "checked by DuckDB's signature"
  for (const [part, version] of await ledgerRows(engine, 'versions')) {
    facts.push({ area: 'program', name: String(part), value: String(version) })
  }
  for (const file of [files.ducklake, files.sqliteScanner]) {
    const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex')
    facts.push({
      area: 'program',
      name: 'extension',
      value: `${file}, SHA-256 ${sha256.slice(0, 12)}… ${trust}`,
    })
  }
}

/** Answers whether all tables are there to be asked. Views hold nothing, and can be made again. */
async function examineSchema(
  engine: Engine,
  { fix, signal }: { readonly fix: boolean; readonly signal: AbortSignal },
  diagnosis: Diagnosis,
): Promise<boolean> {
  const { facts, findings, fixed } = diagnosis
  let plan = await planSchema(engine)
  // Where something else differs, the views may be those of a newer lpa.
  const isMended =
    engine.can.files &&
    plan.findings.length === 0 &&
    plan.steps.every(({ kind }) => kind === 'create view' || kind === 'replace view')
  if (fix && isMended && plan.steps.length > 0) {
    const applied = await orFinding(() => applySchema(engine), signal, diagnosis)
    fixed.push(...(applied?.steps ?? []).map(({ target }) => `The view ${target} was made again.`))
    plan = await planSchema(engine)
  }
  for (const { message } of plan.findings) {
    findings.push({ code: 'LPA-DOCTOR-DRIFT', message, next: ['See: lpa schema status'] })
  }
  const { length } = plan.steps
  facts.push({
    area: 'warehouse',
    name: 'schema',
    value: length === 0 ? 'up to date' : `${length} steps pending`,
  })
  if (length === 0) return true
  findings.push({
    code: 'LPA-DOCTOR-SCHEMA',
    message: `The schema is not up to date: ${length} ${length === 1 ? 'step is' : 'steps are'} pending.`,
    next: ['lpa schema plan', isMended ? 'lpa doctor --fix' : 'lpa schema apply'],
  })
  return plan.steps.every(({ kind }) => kind !== 'create table')
}

/** Snapshots, and files by table. */
async function tellTables(engine: Engine, { facts }: Diagnosis): Promise<void> {
  const [snapshots] = await ledgerRows(engine, 'snapshots')
  const [count, first, last] = snapshots ?? []
  facts.push({ area: 'warehouse', name: 'snapshots', value: `${count}, versions ${first} to ${last}` })
  const tables = new Map<string, { files: number; bytes: number; small: number }>()
  for (const [name, , size, isCurrent] of await ledgerRows(engine, 'data-files')) {
    if (isCurrent !== true) continue
    const sum = tables.get(String(name)) ?? { files: 0, bytes: 0, small: 0 }
    sum.files += 1
    sum.bytes += Number(size)
    if (Number(size) < SMALL_BYTES) sum.small += 1
    tables.set(String(name), sum)
  }
  const clustering = await ledgerRows(engine, 'live-clustering')
  for (const [name, { files, bytes, small }] of tables) {
    const parts = [`${files} ${files === 1 ? 'file' : 'files'}, ${inBytes(bytes)}`]
    if (small > 1) parts.push(`${small} small ones`)
    const own = clustering.filter(([table]) => table === name)
    const columns = own.filter(([, kind]) => kind === 'cluster').map(([, , , column]) => column)
    if (columns.length > 0) parts.push(`sorted by ${columns.join(', ')}`)
    const [month] = own.filter(([, kind]) => kind === 'partition').map(([, , , column]) => column)
    if (month) parts.push(`by month of ${month}`)
    facts.push({ area: 'tables', name, value: parts.join(', ') })
  }
}

/** Files that no snapshot needs; files that are gone. Answers whether none is. */
async function examineFiles(
  engine: Engine,
  { warehouse }: Config,
  { isWriting, damaged }: WarehouseRequest,
  { findings }: Diagnosis,
): Promise<boolean> {
  const needed = new Set((await ledgerRows(engine, 'data-files')).map(([, path]) => String(path)))
  const onDisk = filesBelow(join(warehouse.path, 'data'))
  const missing = [...needed].filter((path) => !onDisk.has(path))
  for (const path of missing.map((path) => `data/${path}`))
    if (!damaged.has(path)) findings.push(damageFinding(path, 'missing'))
  const isWhole = missing.length === 0
  const merged = new Set((await ledgerRows(engine, 'merged-files')).map(([path]) => String(path)))
  const orphans = [...onDisk].filter(([path]) => !needed.has(path) && !merged.has(path))
  // What a run is writing just now is nobody's orphan.
  if (orphans.length === 0 || isWriting) return isWhole
  const bytes = orphans.reduce((sum, [, size]) => sum + size, 0)
  findings.push({
    code: 'LPA-DOCTOR-ORPHANS',
    message: `${orphans.length} files (${inBytes(bytes)}) belong to no snapshot: a run was killed before its commit.`,
    next: ['The next run that writes takes them away, and so does: lpa doctor --fix'],
  })
  return isWhole
}

async function tellClustering(engine: Engine, { facts }: Diagnosis): Promise<void> {
  for (const [name, , , columns] of await ledgerRows(engine, 'live-clustering'))
    facts.push({ area: 'tables', name: String(name), value: `clustered by ${columns}` })
}

/** Sizes by path, with `/`. */
function filesBelow(folder: string): Map<string, number> {
  const files = new Map<string, number>()
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = join(entry.parentPath, entry.name)
    files.set(relative(folder, file).split(sep).join('/'), statSync(file).size)
  }
  return files
}

/** Loads of another key, days of another time zone: both make two of what is one. */
async function examineLoads(
  engine: Engine,
  config: Config,
  { keyId }: WarehouseRequest,
  { facts, findings }: Diagnosis,
): Promise<void> {
  const byKey = await ledgerRows(engine, 'loads-by-key')
  const loads = byKey.reduce((sum, [, count]) => sum + Number(count), 0)
  facts.push({ area: 'warehouse', name: 'loads', value: String(loads) })
  if (keyId !== undefined) await examineKeys(engine, config, keyId, loads, findings)
  const { timezone } = config.warehouse
  const [days] = await ledgerRows(engine, 'other-zone-days', { timezone })
  if (Number(days?.[1]) === 0) return
  findings.push({
    code: 'LPA-DOCTOR-ZONE',
    message: `The days in the warehouse are not those of ${timezone} (${days?.[1]} of ${days?.[0]} events looked at).`,
    next: ['Set warehouse.timezone back to what it was at the first load, or load everything again.'],
  })
}

async function examineKeys(
  engine: Engine,
  config: Config,
  keyId: string,
  loads: number,
  findings: Diagnosis['findings'],
): Promise<void> {
  const others = await readOtherLoads(engine, keyId)
  if (others.length === 0) return
  const file = config.privacy.keyFile
  const needed = keptKeys(file).filter((kept) => others.some((load) => load.keyId === kept.keyId))
  const hold = others.length === 1 ? 'load holds' : 'loads hold'
  findings.push({
    code: 'LPA-DOCTOR-KEY',
    message: `${others.length} of ${loads} ${hold} pseudonyms of another key than ${keyId}: the same people have other pseudonyms there.`,
    next: [
      'If the key was changed on purpose, load again what lies under the old one, then lpa batch:',
      ...reloadsOf(others, config, process.cwd()).map(({ command }) => `  ${command}`),
      ...(needed.length > 0
        ? needed.map((kept) => `If not, put the old key back: ${wayBack(file, keyId, kept.file)}`)
        : ['If not, restore the key from your backup.']),
    ],
  })
}

/** The ledger knows what the front end staged: the list of checksums must agree. */
async function compareWithLedger(
  engine: Engine,
  { warehouse }: Config,
  { damaged }: WarehouseRequest,
  { findings }: Diagnosis,
): Promise<void> {
  const { recordedChecksums } = await import('../engines/duckdb/checksums.ts')
  const recorded = recordedChecksums(warehouse.path)
  for (const [table, file, sha256] of await ledgerRows(engine, 'load-files')) {
    const path = `data/${String(table).replace('.', '/')}/${file}`
    const listed = recorded.get(path)
    const disagrees = listed !== undefined && listed !== sha256
    if (disagrees && !damaged.has(path)) findings.push(damageFinding(path, 'changed'))
  }
}

/** A number that was given to a load must not come again. */
async function examineNumbers(engine: Engine, fix: boolean, { findings, fixed }: Diagnosis): Promise<void> {
  try {
    const [last] = await ledgerRows(engine, 'last-load')
    let next = await engine.nextLoadId()
    if (next > Number(last?.[0])) return
    if (fix) {
      while (next < Number(last?.[0])) next = await engine.nextLoadId()
      fixed.push(`The next load gets a number above ${next}.`)
      return
    }
  } catch (error) {
    findings.push(asFinding(error))
    return
  }
  findings.push({
    code: 'LPA-DOCTOR-NUMBERS',
    message: 'The next load would get a number that another load has.',
    next: ['lpa doctor --verify --fix'],
  })
}
