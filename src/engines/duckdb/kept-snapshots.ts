/** Which states of a warehouse stay when commits come every second, and what goes with the others. */

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { readRows } from '../../duckdb.ts'
import { inCatalog, inlinedTables } from './catalog.ts'
import { unrecordCatalog } from './checksums.ts'

/** All states of the last hour are kept, and of older hours the last. */
const HOUR_MS = 3_600_000
/** Of one call, which holds the lock: a backlog goes with the next ones. */
const MOST_SNAPSHOTS = 5000
const MOST_FILES = 10_000

/** Snapshots that are too old, or too close to one another. */
export async function snapshotsToGo(
  connection: DuckDBConnection,
  timeTravelMs: number,
): Promise<readonly number[]> {
  const goes = await readRows<{ snapshot_id: number }>(
    connection,
    `select snapshot_id from (
       select snapshot_id, cast(snapshot_time as timestamptz) as made_at, max(snapshot_id) over () as newest,
         row_number() over (partition by date_trunc('hour', made_at) order by snapshot_id desc) as place
       from __ducklake_metadata_lake.ducklake_snapshot)
     where snapshot_id < newest and made_at < now() - interval '${HOUR_MS} milliseconds'
       and (place > 1 or made_at < now() - interval '${timeTravelMs} milliseconds')
     order by snapshot_id`,
  )
  return goes.map(({ snapshot_id }) => snapshot_id)
}

/**
 * Takes them away. Under the writer lock, in no transaction: it makes no snapshot, by which a changed catalog would be known
 * to be newer.
 * @returns how many
 */
export async function thinSnapshots(
  connection: DuckDBConnection,
  folder: string,
  timeTravelMs: number,
): Promise<number> {
  const goes = (await snapshotsToGo(connection, timeTravelMs)).slice(0, MOST_SNAPSHOTS)
  if (goes.length === 0) return 0
  await unrecordCatalog(folder)
  await connection.run(`call ducklake_expire_snapshots('lake', versions => [${goes.join(', ')}])`)
  await removeInlined(folder)
  return goes.length
}

/**
 * Deleted rows that DuckLake kept in its catalog, and deletions of files that are gone: it takes away files with their
 * snapshots, and leaves these.
 */
export function removeInlined(folder: string): Promise<void> {
  return inCatalog(folder, (database) => {
    database.exec('begin immediate')
    for (const name of inlinedTables(database, 'data')) {
      database.exec(
        `delete from ${name} where end_snapshot is not null and not exists (select 1 from ducklake_snapshot s
           where s.snapshot_id >= ${name}.begin_snapshot and s.snapshot_id < ${name}.end_snapshot)`,
      )
    }
    for (const name of inlinedTables(database, 'delete')) {
      database.exec(
        `delete from ${name} where not exists (select 1 from ducklake_data_file f where f.data_file_id = file_id)`,
      )
    }
    database.exec('commit')
  })
}

interface Unneeded {
  readonly data_file_id: number
  readonly path: string
}

/** Files that no snapshot has needed for so long. DuckLake's own clean-up compares times as texts, by the day. */
export function unneededFiles(connection: DuckDBConnection, afterMs = HOUR_MS): Promise<readonly Unneeded[]> {
  return readRows<Unneeded>(
    connection,
    `select data_file_id, path from __ducklake_metadata_lake.ducklake_files_scheduled_for_deletion
     where cast(path_is_relative as boolean)
       and cast(schedule_start as timestamptz) <= now() - interval '${afterMs} milliseconds'`,
  )
}

/**
 * Removes files that no snapshot needs any more, an hour after that: readers may have begun before.
 * @returns how many
 */
export async function removeUnneeded(
  connection: DuckDBConnection,
  folder: string,
  afterMs = HOUR_MS,
): Promise<number> {
  const files = (await unneededFiles(connection, afterMs)).slice(0, MOST_FILES)
  if (files.length === 0) return 0
  await unrecordCatalog(folder)
  for (const { path } of files) rmSync(join(folder, 'data', path), { force: true })
  const ids = files.map(({ data_file_id }) => data_file_id).join(', ')
  await connection.run(
    `delete from __ducklake_metadata_lake.ducklake_files_scheduled_for_deletion where data_file_id in (${ids})`,
  )
  return files.length
}
