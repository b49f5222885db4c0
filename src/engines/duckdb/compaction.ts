/** Merges small files: each commit of a stream makes some, and every one costs each reader a little. */

import type { DuckDBConnection } from '@duckdb/node-api'
import { quoteText, readNumber, readRows, releaseMemory } from '../../duckdb.ts'

/** A file of this size is left as it is: to merge some dozens of larger ones takes hundreds of megabytes of memory. */
const LARGE_BYTES = 1024 * 1024
const MANY_FILES = 20
/** Readers of an older snapshot may still need what was merged. DuckLake compares by the day. */
const KEPT_DAYS = 2

/** Under the writer lock, in no transaction. Rows, their order of loads and all snapshots stay as they are. */
export async function mergeSmallFiles(connection: DuckDBConnection, memoryLimit: string): Promise<number> {
  const tables = await readRows<{ schema_name: string; table_name: string }>(
    connection,
    `select s.schema_name, t.table_name
     from __ducklake_metadata_lake.ducklake_data_file f
     join __ducklake_metadata_lake.ducklake_table t on t.table_id = f.table_id and t.end_snapshot is null
     join __ducklake_metadata_lake.ducklake_schema s on s.schema_id = t.schema_id and s.end_snapshot is null
     where f.end_snapshot is null and f.file_size_bytes < ${LARGE_BYTES}
     group by all having count(*) > ${MANY_FILES}`,
  )
  if (tables.length === 0) return 0
  const threads = await readNumber(connection, `select current_setting('threads')`)
  // Each thread that writes has a group of rows in memory, which no limit counts.
  await connection.run('set threads = 1')
  try {
    for (const { schema_name, table_name } of tables) {
      await releaseMemory(connection, memoryLimit)
      await connection.run(
        `call ducklake_merge_adjacent_files('lake', ${quoteText(table_name)}, schema => ${quoteText(schema_name)}, max_file_size => ${LARGE_BYTES})`,
      )
    }
  } finally {
    await connection.run(`set threads = ${threads}`)
  }
  await connection.run(
    `call ducklake_cleanup_old_files('lake', older_than => now() - interval '${KEPT_DAYS} days')`,
  )
  return tables.length
}
