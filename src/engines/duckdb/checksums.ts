/**
 * Checksums of a warehouse's files, so that every changed bit is found: DuckDB itself reads most damaged Parquet
 * without a word. They lie beside the warehouse in `SHA256SUMS`, in the form that `sha256sum -c` reads, because a
 * table inside it could hold neither its own file's checksum nor the catalog's.
 */

import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { UserError } from '../../errors.ts'
import { writeWhole } from '../../report-file.ts'
import { catalogFile } from './catalog.ts'
import { isShared } from './shared-journal.ts'
import { takeWriterLock } from './writer-lock.ts'

const SUMS = 'SHA256SUMS'
const CATALOG = 'catalog.sqlite'
const DATA = 'data'
const HEAD = '# lpa: written when a run that wrote the warehouse ends. Snapshot '
/** As writeWhole names it before it is whole. */
const UNFINISHED = /^\.SHA256SUMS\.\d+\.part$/
const LINE = /^([0-9a-f]{64}) {2}(\S.*)$/

interface Checksums {
  /** The snapshot that the catalog's checksum is of. */
  readonly version: string
  /** SHA-256 by path below the warehouse, with `/`. */
  readonly byPath: ReadonlyMap<string, string>
}

/** What is wrong with one file. */
export interface Damage {
  readonly path: string
  readonly kind: 'changed' | 'missing' | 'unrecorded'
}

export interface Verified {
  readonly files: number
  readonly bytes: number
  readonly damages: readonly Damage[]
}

/** A run that holds the lock this long will record for both when it ends. */
const RECORD_WAIT_MS = 2000

/**
 * Brings `SHA256SUMS` up to date after commits: hashes the catalog and the data files that are new, which never
 * change once written. `known` are hashes taken while a file was written.
 */
export async function recordChecksums(
  folder: string,
  known: ReadonlyMap<string, string> = new Map(),
): Promise<void> {
  let lock: Disposable
  try {
    lock = await takeWriterLock(folder, RECORD_WAIT_MS)
  } catch (error) {
    if (error instanceof UserError && error.exit === 'locked') return
    throw error
  }
  try {
    const catalog = await settleCatalog(folder)
    // A list of the snapshot before is right too. One of a file that is still to change would call it damaged.
    if (!catalog?.isSettled) return
    const earlier = readSums(folder)?.byPath
    const lines = [`${HEAD}${catalog.version}`, `${await sha256OfFile(catalogFile(folder))}  ${CATALOG}`]
    // What is gone is known when it comes back.
    const gone = [...catalog.files].filter((path) => earlier?.has(path))
    for (const path of new Set([...dataFiles(folder), ...gone])) {
      const hash =
        earlier?.get(path) ?? known.get(join(folder, path)) ?? (await sha256OfFile(join(folder, path)))
      lines.push(`${hash}  ${path}`)
    }
    // Of runs that were killed while they wrote: under the lock nobody else does.
    for (const name of readdirSync(folder)) if (UNFINISHED.test(name)) rmSync(join(folder, name))
    await writeSums(folder, lines)
  } finally {
    lock[Symbol.dispose]()
  }
}

async function writeSums(folder: string, lines: readonly string[]): Promise<void> {
  const mode = isShared(catalogFile(folder)) ? 0o640 : 0o600
  await writeWhole(join(folder, SUMS), `${lines.join('\n')}\n`, mode)
}

/**
 * Before a change of the catalog that makes no snapshot, under the writer lock: of a run that is killed after it, the catalog
 * is one without a checksum, not one that was damaged.
 */
export async function unrecordCatalog(folder: string): Promise<void> {
  const sums = readSums(folder)
  if (!sums?.byPath.has(CATALOG)) return
  const files = [...sums.byPath].filter(([path]) => path !== CATALOG)
  await writeSums(folder, [`${HEAD}${sums.version}`, ...files.map(([path, hash]) => `${hash}  ${path}`)])
}

/**
 * Before data files become parts of new ones, which would make a changed bit a good one. Those in `sound` were looked at before,
 * and what is sound goes there.
 * @throws UserError LPA-WAREHOUSE-DAMAGED (io)
 */
export async function assertUnchanged(
  folder: string,
  files: readonly string[],
  sound: Set<string>,
  signal: AbortSignal,
): Promise<void> {
  const recorded = readSums(folder)?.byPath
  for (const file of files) {
    if (sound.has(file)) continue
    signal.throwIfAborted()
    const path = join(folder, DATA, file)
    if (!existsSync(path)) throw damagedFile(path, 'A file is gone, and was left out of the house-keeping.')
    const expected = recorded?.get(`${DATA}/${file}`)
    if (expected !== undefined && (await sha256OfFile(path)) !== expected)
      throw damagedFile(path, 'A file is not as it was written, and was left as it is.')
    sound.add(file)
  }
}

function damagedFile(where: string, message: string): UserError {
  const next = 'See what else is damaged: lpa doctor --verify'
  return new UserError('LPA-WAREHOUSE-DAMAGED', message, { exit: 'io', where, next })
}

/**
 * Reads every file and holds it against its checksum. Writers are held up only while the catalog is looked at.
 * Opens no DuckDB: a damaged catalog could take the process with it.
 * @throws UserError locked (75) when another run holds the warehouse longer than `lockWaitMs`
 */
export async function verifyChecksums(
  folder: string,
  lockWaitMs: number,
  onBytes: (bytes: number) => void = () => {},
): Promise<Verified> {
  let files = 0
  let bytes = 0
  /** What is there, by path: listed files never change, so what was read once need not be read under the lock. */
  const found = new Map<string, string | undefined>()
  const hash = async (path: string) => {
    if (!found.has(path)) {
      const file = join(folder, path)
      found.set(path, existsSync(file) ? await sha256OfFile(file, onBytes) : undefined)
      files += 1
      bytes += statSync(file, { throwIfNoEntry: false })?.size ?? 0
    }
    return found.get(path)
  }
  for (const path of readSums(folder)?.byPath.keys() ?? []) if (path !== CATALOG) await hash(path)

  using _lock = await takeWriterLock(folder, lockWaitMs)
  const catalog = await settleCatalog(folder)
  const sums = readSums(folder)
  const damages: Damage[] = []
  const catalogHash = await hash(CATALOG)
  // A run that was killed after its commit, or ended beside a reader, has left a newer catalog than it recorded.
  const isNewer =
    catalog !== undefined && (!sums?.byPath.has(CATALOG) || Number(catalog.version) > Number(sums.version))
  if (isNewer) damages.push({ path: CATALOG, kind: 'unrecorded' })
  else if (catalogHash !== sums?.byPath.get(CATALOG)) damages.push({ path: CATALOG, kind: 'changed' })
  const isListDamaged = existsSync(join(folder, SUMS)) && !sums
  if (isListDamaged || (damages.length === 0 && catalog?.version !== sums?.version)) {
    damages.push({ path: SUMS, kind: 'changed' })
  }
  // Without the catalog all that is listed counts; with it, what no snapshot needs any more does not.
  for (const path of catalog?.files ?? sums?.byPath.keys() ?? []) {
    if (path === CATALOG) continue
    const [expected, actual] = [sums?.byPath.get(path), await hash(path)]
    if (actual === undefined) damages.push({ path, kind: 'missing' })
    else if (expected === undefined) damages.push({ path, kind: 'unrecorded' })
    else if (actual !== expected) damages.push({ path, kind: 'changed' })
  }
  return { files, bytes, damages }
}

/**
 * For a run that is about to write, under the writer lock: it would record a damaged catalog as a good one.
 * @throws UserError LPA-WAREHOUSE-DAMAGED (io)
 */
export async function refuseDamagedCatalog(folder: string): Promise<void> {
  const sums = readSums(folder)
  const recorded = sums?.byPath.get(CATALOG)
  if (!recorded || (await sha256OfFile(catalogFile(folder))) === recorded) return
  const catalog = await settleCatalog(folder)
  if (Number(catalog?.version) > Number(sums?.version)) return
  throw new UserError(
    'LPA-WAREHOUSE-DAMAGED',
    'The catalog is not as the last run left it. Nothing was changed.',
    {
      exit: 'io',
      where: catalogFile(folder),
      next: [
        'See what else is damaged: lpa doctor --verify',
        'Then restore the warehouse from a backup, or make it anew from the exports.',
        'To go on with it as it is, after a copy of the folder: lpa doctor --verify --fix',
      ],
    },
  )
}

/** The recorded SHA-256 of the data files, by path below the warehouse; empty when there is no readable list. */
export function recordedChecksums(folder: string): ReadonlyMap<string, string> {
  return readSums(folder)?.byPath ?? new Map()
}

/** The list, or undefined when it is absent or not as lpa writes it. */
function readSums(folder: string): Checksums | undefined {
  const file = join(folder, SUMS)
  if (!existsSync(file)) return undefined
  const [head = '', ...lines] = readFileSync(file, 'utf8').split('\n')
  const version = head.startsWith(HEAD) ? head.slice(HEAD.length) : ''
  if (!/^\d+$/.test(version) || lines.pop() !== '') return undefined
  const byPath = new Map<string, string>()
  for (const line of lines) {
    const [, hash, path] = LINE.exec(line) ?? []
    if (!hash || !path || byPath.has(path)) return undefined
    byPath.set(path, hash)
  }
  return { version, byPath }
}

interface Catalog {
  /** The newest snapshot. */
  readonly version: string
  /** Whether its file holds all of it. Beside a reader, SQLite leaves the newest in its log. */
  readonly isSettled: boolean
  /** The files that any snapshot needs, by path below the warehouse. */
  readonly files: ReadonlySet<string>
}

const CATALOG_FILES = `
  select s.path || t.path || f.path as path
  from (
    select table_id, path from ducklake_data_file where path_is_relative
    union all
    select table_id, path from ducklake_delete_file where path_is_relative
  ) f
  join ducklake_table t on t.table_id = f.table_id
  join ducklake_schema s on s.schema_id = t.schema_id`

/** Reads the catalog without DuckDB, after what is left in SQLite's log was moved into its file; undefined: unreadable. */
async function settleCatalog(folder: string): Promise<Catalog | undefined> {
  const { DatabaseSync } = await import('node:sqlite')
  try {
    const database = new DatabaseSync(catalogFile(folder), { timeout: RECORD_WAIT_MS })
    const reader = isShared(catalogFile(folder))
      ? new DatabaseSync(catalogFile(folder), { readOnly: true })
      : undefined
    try {
      reader?.exec('select count(*) from sqlite_master')
      const settled = database.prepare('pragma wal_checkpoint(truncate)').get()
      const newest = database.prepare('select max(snapshot_id) as version from ducklake_snapshot').get()
      const files = database.prepare(CATALOG_FILES).all()
      return {
        version: String(newest?.version),
        isSettled: settled?.busy === 0,
        files: new Set(files.map(({ path }) => `${DATA}/${path}`)),
      }
    } finally {
      database.close()
      // The last one, which leaves SQLite's log where it is.
      reader?.close()
    }
  } catch {
    return undefined
  }
}

/** Paths below the warehouse of all that lies in its data folder, sorted. */
function dataFiles(folder: string): string[] {
  const data = join(folder, DATA)
  if (!existsSync(data)) return []
  return readdirSync(data, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort()
}

export async function sha256OfFile(file: string, onBytes?: (bytes: number) => void): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
    hash.update(chunk)
    onBytes?.((chunk as Buffer).length)
  }
  return hash.digest('hex')
}
