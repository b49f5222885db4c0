/** A result that is read piece by piece, as a Parquet file: for engines that are elsewhere. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDuckDB, quoteName, quoteText, TYPE_NAMES } from '../duckdb.ts'
import type { Cell, ResultStream } from '../types.ts'

/**
 * Decimals keep the digits that they have behind the point, timestamps microseconds.
 * Answers the number of rows.
 * @throws Error for an integer beyond 64 bits
 */
export async function writeParquet({ columns, chunks }: ResultStream, file: string): Promise<number> {
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
    const casts: string[] = []
    for (const [index, { type }] of columns.entries()) {
      const name = names[index] as string
      const target = type === 'decimal' ? `decimal(38, ${await scaleOf(name)})` : TYPE_NAMES[type]
      casts.push(`cast(${name} as ${target}) as ${name}`)
    }
    const { rowsChanged } = await connection.run(
      `copy (select ${casts.join(', ')} from rows_of) to ${quoteText(file)} (format parquet, compression zstd)`,
    )
    return rowsChanged
    async function scaleOf(name: string): Promise<number> {
      const reader = await connection.runAndReadAll(
        `select coalesce(max(length(split_part(${name}, '.', 2))), 0) from rows_of`,
      )
      return Number(reader.getRows()[0]?.[0])
    }
    function append(cell: Cell): void {
      if (cell === null) appender.appendNull()
      else appender.appendVarchar(String(cell))
    }
  } catch (error) {
    // What was written so far is no Parquet file.
    rmSync(file, { force: true })
    throw error
  } finally {
    rmSync(spillFolder, { recursive: true, force: true })
  }
}
