/**
 * Keeps a warehouse small that gets a commit a second: what DuckLake plans with, and asks its catalog for, is otherwise
 * every file and every row of book-keeping that there ever was (docs/decisions/0014-streams.md has the figures).
 */

import type { DatabaseSync } from 'node:sqlite'
import type { DuckDBConnection } from '@duckdb/node-api'
import { quoteText, releaseMemory } from '../../duckdb.ts'
import { inCatalog, inlinedTables } from './catalog.ts'
import { removeUnneeded, thinSnapshots } from './kept-snapshots.ts'

interface Lake {
  /** On one thread: each that writes has a group of rows in memory, which no limit counts. */
  readonly connection: DuckDBConnection
  readonly folder: string
  readonly memoryLimit: string
  readonly timeTravelMs: number
  /** Runs work under the writer lock, in no transaction. */
  readonly locked: <T>(work: () => Promise<T>) => Promise<T>
}

/** Small files, and those that were made of such: each is merged with others of its kind, a few times in its life. */
const TIERS_BYTES = [
  [0, 1024 * 1024],
  [1024 * 1024, 8 * 1024 * 1024],
] as const
const MANY_FILES = 20
/** Rows of a table that lie in the catalog itself, where nothing is indexed: a file of them takes a few kilobytes. */
const MANY_INLINED_ROWS = 1000
/** Files with deleted rows are made anew without them; larger ones where half of their rows are deleted. */
const FEW_BYTES = 64 * 1024 * 1024

/**
 * Thins snapshots, moves rows out of the catalog, and merges files. Rows, their order of loads and the snapshots that are
 * kept stay as they are. Others may write between the steps.
 */
export async function keepLakeSmall(lake: Lake): Promise<{ tables: number; hasChanged: boolean }> {
  const { connection, folder, memoryLimit, locked } = lake
  const thinned = await locked(() => thinSnapshots(connection, folder, lake.timeTravelMs))
  const statements = await inCatalog(folder, (database) => [
    ...flushes(database),
    ...rewrites(database),
    ...merges(database),
  ])
  for (const statement of statements) {
    await locked(async () => {
      await releaseMemory(connection, memoryLimit)
      await connection.run(statement)
    })
  }
  const removed = await locked(() => removeUnneeded(connection, folder))
  return { tables: statements.length, hasChanged: thinned + statements.length + removed > 0 }
}

const LIVE_TABLES = `
  (select t.table_id, t.table_name, s.schema_name
   from ducklake_table t
   join ducklake_schema s on s.schema_id = t.schema_id and s.end_snapshot is null
   where t.end_snapshot is null)`

/** Of files, those with deleted rows: no others are merged with them, and one whose rows are all deleted stays. */
function thinFiles(database: DatabaseSync): string {
  const inlined = inlinedTables(database, 'delete').map((name) => ` union select file_id from ${name}`)
  return `(select data_file_id from ducklake_delete_file where end_snapshot is null${inlined.join('')})`
}

/** The tables of rows, as a call names them. */
function tablesIn(database: DatabaseSync, sql: string, schemaFlag = ', schema => ') {
  return database
    .prepare(sql)
    .all()
    .map((row) => ({
      named: quoteText(String(row.table_name)) + schemaFlag + quoteText(String(row.schema_name)),
      bytes: Number(row.bytes),
    }))
}

/** DuckLake keeps in its catalog what commits write of a few rows. */
function flushes(database: DatabaseSync): string[] {
  const counts = inlinedTables(database, 'data').map(
    (name) =>
      `select ${Number(name.split('_').at(-2))} as table_id, count(*) as inlined from ${name} where end_snapshot is null`,
  )
  if (counts.length === 0) return []
  return tablesIn(
    database,
    `select schema_name, table_name from (${counts.join(' union all ')}) join ${LIVE_TABLES} using (table_id)
     group by table_id having sum(inlined) > ${MANY_INLINED_ROWS}`,
    ', schema_name => ',
  ).map(({ named }) => `call ducklake_flush_inlined_data('lake', table_name => ${named})`)
}

function rewrites(database: DatabaseSync): string[] {
  return tablesIn(
    database,
    `select schema_name, table_name, sum(file_size_bytes) as bytes
     from ducklake_data_file f join ${LIVE_TABLES} using (table_id)
     where f.end_snapshot is null and f.data_file_id in ${thinFiles(database)}
     group by table_id having count(*) > ${MANY_FILES}`,
  ).map(
    ({ named, bytes }) =>
      `call ducklake_rewrite_data_files('lake', ${named}, delete_threshold => ${bytes < FEW_BYTES ? 0 : 0.5})`,
  )
}

/** Files of a partition are merged with one another only. */
function merges(database: DatabaseSync): string[] {
  return TIERS_BYTES.flatMap(([least, most]) =>
    tablesIn(
      database,
      `select distinct schema_name, table_name from (
         select schema_name, table_name
         from ducklake_data_file f join ${LIVE_TABLES} using (table_id)
         left join (
           select data_file_id, group_concat(partition_value, '/' order by partition_key_index) as part
           from ducklake_file_partition_value group by data_file_id
         ) p on p.data_file_id = f.data_file_id
         where f.end_snapshot is null and f.file_size_bytes >= ${least} and f.file_size_bytes < ${most}
           and f.data_file_id not in ${thinFiles(database)}
         group by table_id, p.part having count(*) > ${MANY_FILES})`,
    ).map(
      ({ named }) =>
        `call ducklake_merge_adjacent_files('lake', ${named}, min_file_size => ${least}, max_file_size => ${most})`,
    ),
  )
}
