/** The rows of a table as Parquet files that any reader takes for what they are: without DuckLake's catalog. */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { quoteText, readRows } from '../../duckdb.ts'

/**
 * The table's own files where each of their rows is there, and in `folder` a copy of all other rows: of files that rows were
 * deleted from, and of those that are in the catalog itself.
 */
export async function plainFiles(
  connection: DuckDBConnection,
  table: string,
  folder: string,
): Promise<readonly string[]> {
  const places = await readRows<{ filename: string; rows: number }>(
    connection,
    `select filename, count(*) as rows from ${table} group by filename`,
  )
  const written = new Map(
    await rowsInFiles(connection, places.map(({ filename }) => filename).filter(isFile)),
  )
  const isPlain = ({ filename, rows }: (typeof places)[number]) => written.get(filename) === rows
  const plain = places.filter(isPlain).map(({ filename }) => filename)
  if (plain.length === places.length) return plain
  const others = places.filter((place) => !isPlain(place)).map(({ filename }) => quoteText(filename))
  mkdirSync(folder, { recursive: true })
  const copy = join(folder, `${table}.parquet`)
  await connection.run(
    `copy (select * from ${table} where filename in (${others.join(', ')})) to ${quoteText(copy)}
      (format parquet, compression zstd)`,
  )
  return [...plain, copy]
}

/** What DuckLake keeps in its catalog has a table's name there. */
function isFile(filename: string): boolean {
  return filename.endsWith('.parquet')
}

async function rowsInFiles(
  connection: DuckDBConnection,
  files: readonly string[],
): Promise<[file: string, rows: number][]> {
  if (files.length === 0) return []
  const list = `[${files.map(quoteText).join(', ')}]`
  const found = await readRows<{ file_name: string; num_rows: number }>(
    connection,
    `select file_name, num_rows from parquet_file_metadata(${list})`,
  )
  return found.map(({ file_name, num_rows }) => [file_name, num_rows])
}
