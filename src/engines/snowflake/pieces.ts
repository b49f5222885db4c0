/** Staged files in the sizes that Snowflake loads best: 100 to 250 MB, which it reads side by side. */

import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { openDuckDB, quoteText } from '../../duckdb.ts'

const MOST_BYTES = 250_000_000
const PIECE_BYTES = 150_000_000

/**
 * The file itself where it is small enough; else pieces of about `pieceBytes` in a folder beside it, and the file is gone.
 * @returns paths
 */
export async function piecesOf(
  path: string,
  mostBytes = MOST_BYTES,
  pieceBytes = PIECE_BYTES,
): Promise<readonly string[]> {
  if (statSync(path).size <= mostBytes) return [path]
  const folder = `${path}.pieces`
  mkdirSync(folder)
  await using database = await openDuckDB({ memoryLimit: '600MB', spillFolder: folder, timezone: 'UTC' })
  await database.connection.run('set preserve_insertion_order = false')
  await database.connection.run(
    `copy (select * from read_parquet(${quoteText(path)})) to ${quoteText(folder)}
     (format parquet, compression zstd, parquet_version v2, file_size_bytes ${pieceBytes}, overwrite_or_ignore)`,
  )
  rmSync(path)
  return readdirSync(folder)
    .filter((name) => name.endsWith('.parquet'))
    .map((name) => join(folder, name))
}
