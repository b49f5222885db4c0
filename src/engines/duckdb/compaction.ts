/**
 * Keeps a warehouse small that gets a commit a second: what DuckLake plans with, and asks its catalog for, is otherwise
 * every file and every row of book-keeping that there ever was (docs/decisions/0014-streams.md has the figures).
 */

import type { DatabaseSync } from 'node:sqlite'
import type { DuckDBConnection } from '@duckdb/node-api'
import { quoteText, releaseMemory } from '../../duckdb.ts'
import { inlinedTables, readCatalog } from './catalog.ts'
import { assertUnchanged } from './checksums.ts'
import { removeUnneeded, thinSnapshots } from './kept-snapshots.ts'

export interface Lake {
  /** On one thread: each that writes has a group of rows in memory, which no limit counts. */
  readonly connection: DuckDBConnection
  readonly folder: string
  readonly memoryLimit: string
  /** How far back states are kept; none: all stay. */
  readonly timeTravelMs: number | undefined
  /** Runs work under the writer lock, in no transaction; waits for it for `leastWaitMs` or longer. */
  readonly locked: <T>(work: () => Promise<T>, leastWaitMs?: number) => Promise<T>
  readonly signal: AbortSignal
}

/** Small files, and those that were made of such: each is merged with others of its kind, a few times in its life. */
const TIERS_BYTES = [
  [0, 1024 * 1024],
  [1024 * 1024, 8 * 1024 * 1024],
] as const
/** Rows of a table that lie in the catalog itself, where nothing is indexed: a file of them takes a few kilobytes. */
const MANY_INLINED_ROWS = 1000
/** From more files on it is worth it, where commits wait meanwhile; and where somebody asked for it. */
const MANY_FILES = 20
const MANY_FILES_ASKED = 4
/** Files that one call writes, while it holds the lock: more go with the next one. */
const MOST_MERGED = 50
/** Files with deleted rows are made anew without them; larger ones where half of their rows are deleted. */
const FEW_BYTES = 64 * 1024 * 1024

/** A call of DuckLake's that makes less of what a table is read from. */
export interface Compaction {
  readonly call: string
  /** Files of rows that it makes anew, by path below `data/`. */
  readonly files: readonly string[]
  /** Files of deletions that it reads beside them. */
  readonly deletions: readonly string[]
  /** Rows that it moves out of the catalog. */
  readonly rows: number
}

export interface Kept {
  readonly tables: number
  readonly states: number
  readonly unneeded: number
  readonly hasChanged: boolean
}

/**
 * Thins snapshots, moves rows out of the catalog, and merges files. Rows, their order of loads and the snapshots that are
 * kept stay as they are. Others may write between the steps. Where somebody asked for it, `sound` are files that were held
 * against their checksums.
 * @throws UserError LPA-WAREHOUSE-DAMAGED (io), where it is asked for, before a changed file would become a part of a new one
 */
export async function keepLakeSmall(lake: Lake, sound?: Set<string>): Promise<Kept> {
  const { connection, folder, memoryLimit, timeTravelMs, locked, signal } = lake
  const states =
    timeTravelMs === undefined ? 0 : await locked(() => thinSnapshots(connection, folder, timeTravelMs))
  const compactions = await readCatalog(folder, (database) => plannedCompactions(database, !!sound))
  for (const { call, files, deletions } of compactions) {
    // Before the lock: once written, files never change.
    if (sound) await assertUnchanged(folder, [...files, ...deletions], sound, signal)
    await locked(async () => {
      await releaseMemory(connection, memoryLimit)
      await connection.run(call)
    })
  }
  const unneeded = await locked(() => removeUnneeded(connection, folder))
  const tables = compactions.length
  return { tables, states, unneeded, hasChanged: states + tables + unneeded > 0 }
}

export function plannedCompactions(database: DatabaseSync, isAsked: boolean): Compaction[] {
  const many = isAsked ? MANY_FILES_ASKED : MANY_FILES
  return [...flushes(database), ...rewrites(database, many), ...merges(database, many)]
}

const LIVE_TABLES = `
  (select t.table_id, t.table_name, s.schema_name, s.path || t.path as folder
   from ducklake_table t
   join ducklake_schema s on s.schema_id = t.schema_id and s.end_snapshot is null
   where t.end_snapshot is null)`

/** Of files with deleted rows, how many: no others are merged with them, and one whose rows are all deleted stays. */
function thinFiles(database: DatabaseSync): string {
  const inlined = inlinedTables(database, 'delete').map((name) => ` union all select file_id, 1 from ${name}`)
  return `
  (select file_id, sum(deleted) as deleted
   from (select data_file_id as file_id, delete_count as deleted from ducklake_delete_file where end_snapshot is null
     ${inlined.join('')})
   group by file_id)`
}

/** The tables of rows, as a call names them. */
function tablesIn(database: DatabaseSync, sql: string, schemaFlag = ', schema => ') {
  return database
    .prepare(sql)
    .all()
    .map((row) => ({
      named: quoteText(String(row.table_name)) + schemaFlag + quoteText(String(row.schema_name)),
      bytes: Number(row.bytes),
      files: JSON.parse(String(row.files ?? '[]')) as string[],
      deletions: JSON.parse(String(row.deletions ?? '[]')) as string[],
      rows: Number(row.inlined ?? 0),
    }))
}

/** DuckLake keeps in its catalog what commits write of a few rows; deletions it may join with those in files. */
function flushes(database: DatabaseSync): Compaction[] {
  const counts = inlinedTables(database, 'data').map(
    (name) =>
      `select ${Number(name.split('_').at(-2))} as table_id, count(*) as inlined from ${name} where end_snapshot is null`,
  )
  if (counts.length === 0) return []
  return tablesIn(
    database,
    `select schema_name, table_name, sum(inlined) as inlined,
       (select json_group_array(folder || d.path) from ducklake_delete_file d
        where d.table_id = l.table_id and d.end_snapshot is null) as deletions
     from (${counts.join(' union all ')}) join ${LIVE_TABLES} l using (table_id)
     group by table_id having sum(inlined) > ${MANY_INLINED_ROWS}`,
    ', schema_name => ',
  ).map(({ named, files, deletions, rows }) => ({
    call: `call ducklake_flush_inlined_data('lake', table_name => ${named})`,
    ...{ files, deletions, rows },
  }))
}

function rewrites(database: DatabaseSync, many: number): Compaction[] {
  return tablesIn(
    database,
    `with thin as (
       select table_id, schema_name, table_name, folder, f.path, f.data_file_id, file_size_bytes,
         2 * deleted >= record_count as is_half
       from ducklake_data_file f join ${LIVE_TABLES} using (table_id) join ${thinFiles(database)} on file_id = data_file_id
       where f.end_snapshot is null
     ), counted as (
       select *, sum(file_size_bytes) over tables as bytes, count(*) over tables as files, sum(is_half) over tables as halves
       from thin window tables as (partition by table_id)
     )
     select schema_name, table_name, bytes, json_group_array(distinct folder || c.path) as files,
       json_group_array(distinct folder || d.path) filter (where d.path is not null) as deletions
     from counted c left join ducklake_delete_file d on d.data_file_id = c.data_file_id and d.end_snapshot is null
     where (bytes < ${FEW_BYTES} and files > ${many}) or (halves > ${many} and (is_half or bytes < ${FEW_BYTES}))
     group by c.table_id`,
  ).map(({ named, bytes, files, deletions, rows }) => ({
    call: `call ducklake_rewrite_data_files('lake', ${named}, delete_threshold => ${bytes < FEW_BYTES ? 0 : 0.5})`,
    ...{ files, deletions, rows },
  }))
}

/** Files of a partition are merged with one another only. */
function merges(database: DatabaseSync, many: number): Compaction[] {
  return TIERS_BYTES.flatMap(([least, most]) =>
    tablesIn(
      database,
      `select schema_name, table_name, json_group_array(path) as files from (
         select table_id, schema_name, table_name, folder || f.path as path,
           count(*) over (partition by table_id, p.part) as alike
         from ducklake_data_file f join ${LIVE_TABLES} using (table_id)
         left join (
           select data_file_id, group_concat(partition_value, '/' order by partition_key_index) as part
           from ducklake_file_partition_value group by data_file_id
         ) p on p.data_file_id = f.data_file_id
         where f.end_snapshot is null and f.file_size_bytes >= ${least} and f.file_size_bytes < ${most}
           and f.data_file_id not in (select file_id from ${thinFiles(database)}))
       where alike > ${many} group by table_id`,
    ).map(({ named, files, deletions, rows }) => ({
      call: `call ducklake_merge_adjacent_files('lake', ${named}, min_file_size => ${least}, max_file_size => ${most}, max_compacted_files => ${MOST_MERGED})`,
      ...{ files, deletions, rows },
    })),
  )
}
