/** Makes the catalog of a new warehouse: whole, or not at all. */

import { globSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import type { DuckDBConnection } from '@duckdb/node-api'
import { quoteText } from '../../duckdb.ts'
import { UserError } from '../../errors.ts'
import { takeWriterLock } from './writer-lock.ts'

/** Another process that makes the same warehouse needs a fraction of a second. */
const CREATE_WAIT_MS = 30_000

export function catalogFile(folder: string): string {
  return join(folder, 'catalog.sqlite')
}

/**
 * Whether a warehouse is in the folder.
 * @throws UserError LPA-WAREHOUSE-DAMAGED (io) where data files lie without their catalog: under a new one they would be
 * files that no snapshot knows, and swept away.
 */
export function hasCatalog(folder: string): boolean {
  const size = statSync(catalogFile(folder), { throwIfNoEntry: false })?.size ?? 0
  if (size > 0) return true
  const [file] = globSync('data/**/*.parquet', { cwd: folder })
  if (file === undefined) return false
  throw new UserError('LPA-WAREHOUSE-DAMAGED', 'The catalog is gone, and its data files are still there.', {
    exit: 'io',
    where: catalogFile(folder),
    next: [
      'Restore it from a backup. Nothing was changed.',
      'Or make the warehouse anew from the exports, in another folder: warehouse.path',
    ],
  })
}

/** The file itself, whatever it holds; none where there is none. */
export function catalogInode(folder: string): bigint | undefined {
  return statSync(catalogFile(folder), { throwIfNoEntry: false, bigint: true })?.ino
}

/** Changes the catalog itself, without DuckDB, which takes two scans of it for one in a union. */
export function inCatalog<T>(folder: string, work: (database: DatabaseSync) => T): Promise<T> {
  return withCatalog(folder, false, work)
}

/** Reads it only: not even its log is moved into it. */
export function readCatalog<T>(folder: string, work: (database: DatabaseSync) => T): Promise<T> {
  return withCatalog(folder, true, work)
}

async function withCatalog<T>(
  folder: string,
  readOnly: boolean,
  work: (database: DatabaseSync) => T,
): Promise<T> {
  const { DatabaseSync } = await import('node:sqlite')
  const database = new DatabaseSync(catalogFile(folder), { timeout: 10_000, readOnly })
  try {
    return work(database)
  } finally {
    database.close()
  }
}

/** Bytes of the catalog that nothing lies in any more: SQLite uses them again, and gives none back. */
export function freeBytes(database: DatabaseSync): number {
  const pragma = (name: string) => Number(database.prepare(`pragma ${name}`).get()?.[name])
  return pragma('freelist_count') * pragma('page_size')
}

/**
 * Writes the catalog anew without them, under the writer lock, and empties its log.
 * @returns whether the log is empty: beside a reader it takes a moment
 */
export function shrinkCatalog(folder: string): Promise<boolean> {
  return inCatalog(folder, (database) => {
    database.exec('vacuum')
    return database.prepare('pragma wal_checkpoint(truncate)').get()?.busy === 0
  })
}

/** Names of the tables in which DuckLake keeps rows, or deletions of rows, of single tables. */
export function inlinedTables(database: DatabaseSync, kind: 'data' | 'delete'): string[] {
  return database
    .prepare(
      `select name from sqlite_master where type = 'table' and name glob 'ducklake_inlined_${kind}_[0-9]*'`,
    )
    .all()
    .map(({ name }) => String(name))
}

/** How the catalog's files look from outside: another text after each commit. */
export function catalogLook(folder: string): string {
  const catalog = catalogFile(folder)
  return [catalog, `${catalog}-wal`]
    .map((file) => statSync(file, { throwIfNoEntry: false, bigint: true }))
    .map((stat) => (stat === undefined ? '' : `${stat.ino} ${stat.size} ${stat.mtimeNs}`))
    .join()
}

/**
 * Makes `catalog.sqlite` under another name and renames it: a process that dies on the way leaves no half catalog,
 * and of several at once one makes it.
 */
export async function createCatalog(connection: DuckDBConnection, folder: string): Promise<void> {
  using _lock = await takeWriterLock(folder, CREATE_WAIT_MS)
  const catalog = catalogFile(folder)
  if (hasCatalog(folder)) return
  const unfinished = `${catalog}.new`
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(unfinished + suffix, { force: true })
  const dataPath = `${join(folder, 'data')}/`
  await connection.run(
    `attach ${quoteText(`ducklake:sqlite:${unfinished}`)} as made (data_path ${quoteText(dataPath)})`,
  )
  await connection.run(`call made.set_option('parquet_compression', 'zstd')`)
  for (const schema of ['raw', 'staging', 'core', 'meta'])
    await connection.run(`create schema made.${schema}`)
  await connection.run('detach made')
  renameSync(unfinished, catalog)
}
