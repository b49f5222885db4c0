/** A result that is read piece by piece, as a Parquet file: for engines that are elsewhere. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDuckDB, quoteName, quoteText } from '../duckdb.ts'
import type { Cell, ColumnType, ResultStream } from '../types.ts'

const TYPES: Readonly<Record<ColumnType, string>> = {
  text: 'varchar',
  integer: 'bigint',
  decimal: 'decimal(38, 9)',
  double: 'double',
  boolean: 'boolean',
  date: 'date',
  timestamp: 'timestamp',
  json: 'json',
}

/** Decimals have nine digits behind the point, as many as any report gives. */
export async function writeParquet({ columns, chunks }: ResultStream, file: string): Promise<void> {
  const spillFolder = mkdtempSync(join(tmpdir(), 'lpa-parquet-'))
  try {
    await using database = await openDuckDB({ memoryLimit: '600MB', spillFolder, timezone: 'UTC' })
    const { connection } = database
    const names = columns.map(({ name }) => quoteName(name))
    await connection.run(`create table rows_of (${names.map((name) => `${name} varchar`).join(', ')})`)
    const appender = await connection.createAppender('rows_of')
    for await (const rows of chunks) {
      for (const row of rows) {
        for (const cell of row) append(cell)
        appender.endRow()
      }
      appender.flushSync()
    }
    appender.closeSync()
    const casts = columns.map(
      ({ type }, index) => `cast(${names[index]} as ${TYPES[type]}) as ${names[index]}`,
    )
    await connection.run(
      `copy (select ${casts.join(', ')} from rows_of) to ${quoteText(file)} (format parquet, compression zstd)`,
    )
    function append(cell: Cell): void {
      if (cell === null) appender.appendNull()
      else appender.appendVarchar(String(cell))
    }
  } finally {
    rmSync(spillFolder, { recursive: true, force: true })
  }
}
