/** The first rows of a staged file as they would land: for a dry run. What they hold is pseudonymised. */

import { openDuckDB, quoteName, quoteText, readRows } from '../duckdb.ts'
import type { Result } from '../types.ts'

export interface FirstRows {
  /** Of each column, as the staging table has it. */
  readonly types: Readonly<Record<string, string>>
  readonly rows: readonly Readonly<Record<string, string | null>>[]
}

/** What lpa makes of the others by itself. */
const DERIVED = /(_keys?|_hash)$|^(load_id|source)$/

const MOST_ROWS = 3

export async function readFirstRows(path: string, memoryLimit: string): Promise<FirstRows> {
  await using database = await openDuckDB({ memoryLimit, spillFolder: '', timezone: 'UTC', threads: 1 })
  const { connection } = database
  const table = `read_parquet(${quoteText(path)})`
  const described = await readRows<{ column_name: string; column_type: string }>(
    connection,
    `describe select * from ${table}`,
  )
  const shown = described.filter(({ column_name }) => !DERIVED.test(column_name))
  const columns = shown.map(
    ({ column_name }) => `cast(${quoteName(column_name)} as varchar) as ${quoteName(column_name)}`,
  )
  return {
    types: Object.fromEntries(
      shown.map(({ column_name, column_type }) => [column_name, column_type.toLowerCase()]),
    ),
    rows: await readRows(
      connection,
      `select ${columns.join(', ')} from ${table} order by position limit ${MOST_ROWS}`,
    ),
  }
}

/** For people: a row a column, so that however many there are, all are seen. */
export function firstRowsTable({ types, rows }: FirstRows): Result {
  const text = (name: string) => ({ name, type: 'text' as const })
  return {
    columns: [text('column'), text('type'), ...rows.map((_, index) => text(`row ${index + 1}`))],
    rows: Object.entries(types).map(([column, type]) => [
      column,
      type,
      ...rows.map((row) => row[column] ?? null),
    ]),
  }
}
