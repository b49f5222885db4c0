/** After an erasure: nothing of an older state stays, neither in files of tables nor in free pages of the catalog. */

import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DuckDBConnection } from '@duckdb/node-api'
import { readNumber, readRows, releaseMemory } from '../../duckdb.ts'
import { UserError } from '../../errors.ts'
import type { ForgottenPast } from '../../types.ts'
import { shrinkCatalog } from './catalog.ts'
import { unrecordCatalog } from './checksums.ts'
import { removeInlined, removeUnneeded } from './kept-snapshots.ts'

interface Lake {
  readonly connection: DuckDBConnection
  readonly folder: string
  readonly memoryLimit: string
  /** How long to wait for readers of the catalog. */
  readonly waitMs: number
}

/**
 * Under the writer lock, in no transaction, and after a commit. Each step can be repeated: a run that was killed is ended by
 * the next one. Readers that began before go on with what they opened; what they have yet to open is gone.
 */
export async function forgetPast({ connection, folder, memoryLimit, waitMs }: Lake): Promise<ForgottenPast> {
  await unrecordCatalog(folder)
  await releaseMemory(connection, memoryLimit)
  const filesBefore = filesOf(folder)
  const snapshots = () =>
    readNumber(connection, 'select count(*) from __ducklake_metadata_lake.ducklake_snapshot')
  await connection.run(`call ducklake_flush_inlined_data('lake')`)
  const rewritten = await readRows<{ files: number }>(
    connection,
    `select cast(sum(files_processed) as integer) as files from ducklake_rewrite_data_files('lake', delete_threshold => 0)`,
  )
  const before = await snapshots()
  await connection.run(`call ducklake_expire_snapshots('lake', older_than => now())`)
  await removeInlined(folder)
  // So many at a time.
  while ((await removeUnneeded(connection, folder, 0)) > 0);
  await connection.run(`call ducklake_delete_orphaned_files('lake', cleanup_all => true)`)
  forgetStreams(folder)
  await emptyPages(folder, waitMs)
  const files = filesOf(folder)
  return {
    filesRewritten: rewritten[0]?.files ?? 0,
    filesDeleted: [...filesBefore].filter((file) => !files.has(file)).length,
    snapshotsExpired: before - (await snapshots()),
  }
}

/** What streams on Spark have left there, and how far they were: they do not go on. A task may write there meanwhile. */
export function forgetStreams(folder: string): void {
  rmSync(join(folder, 'streams'), { recursive: true, force: true, maxRetries: 5 })
}

function filesOf(folder: string): Set<string> {
  const found = readdirSync(join(folder, 'data'), { recursive: true, withFileTypes: true })
  return new Set(found.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)))
}

/**
 * What SQLite deleted stays in its pages, and what it wrote in its log: the catalog is written anew, and the log emptied, which
 * takes a moment without readers.
 * @throws UserError locked (75)
 */
async function emptyPages(folder: string, waitMs: number): Promise<void> {
  const deadline = Date.now() + Math.max(waitMs, LEAST_WAIT_MS)
  for (;;) {
    if (await shrinkCatalog(folder)) return
    if (Date.now() > deadline) {
      throw new UserError('LPA-ERASE-READERS', 'Another run reads the catalog: its log cannot be emptied.', {
        exit: 'locked',
        where: folder,
        next: 'The learners are erased, and traces of them are left. Run it again, and it ends what is left to do.',
      })
    }
    await sleep(200)
  }
}

const LEAST_WAIT_MS = 10_000
