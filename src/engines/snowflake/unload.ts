/** Rows of a table as a Parquet file of this machine: Snowflake writes them to its stage, from where they are fetched. */

import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Database, openDuckDB, quoteName, quoteText, readNumber } from '../../duckdb.ts'
import type { TableDeclaration } from '../../types.ts'
import { columnName } from './ddl.ts'

const PIECE_BYTES = 250_000_000

/** Writes a table's rows below a path of a stage. What Parquet makes of timestamps is a setting of the account: they are texts. */
export function unloadSql({ name, columns }: TableDeclaration, path: string): string {
  const parts = columns.map((column) => {
    const written = columnName(column.name)
    const value = column.type === 'timestamp' ? `cast(${written} as varchar)` : written
    return `${value} as "${column.name}"`
  })
  return `copy into ${path} from (select ${parts.join(', ')} from ${name}) file_format = (type = parquet) header = true max_file_size = ${PIECE_BYTES}`
}

/**
 * One file of the fetched ones, which are taken away. Snowflake chooses types by what a column is, or by the values of each
 * file; here it gets those that are declared, JSON and VARIANT as text.
 * @returns its rows
 */
export async function joinPieces(
  folder: string,
  { columns }: TableDeclaration,
  target: string,
): Promise<number> {
  await using database = await openIn(folder)
  const pieces = readdirSync(folder).map((name) => join(folder, name))
  const parts = columns.map(({ name, type }) => {
    const quoted = quoteName(name)
    return `cast(${quoted} as ${isJson(type) ? 'varchar' : type}) as ${quoted}`
  })
  await database.connection.run('set preserve_insertion_order = false')
  const rows = await readNumber(
    database.connection,
    `copy (select ${parts.join(', ')} from read_parquet(${listOf(pieces)}, union_by_name = true))
     to ${quoteText(target)} (format parquet, compression zstd)`,
  )
  rmSync(folder, { recursive: true })
  return rows
}

/** How many rows Parquet files have, by what they say of themselves. */
export async function rowsOf(files: readonly string[]): Promise<number> {
  await using database = await openIn('')
  return await readNumber(
    database.connection,
    `select coalesce(sum(num_rows), 0) from parquet_file_metadata(${listOf(files)})`,
  )
}

function isJson(type: string): boolean {
  return type === 'json' || type === 'variant'
}

function openIn(spillFolder: string): Promise<Database> {
  return openDuckDB({ memoryLimit: '600MB', spillFolder, timezone: 'UTC' })
}

function listOf(files: readonly string[]): string {
  return `[${files.map(quoteText).join(', ')}]`
}
