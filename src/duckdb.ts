/** Opens DuckDB in this process. The only place that names its settings. */

import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type { ColumnType } from './types.ts'

export interface OpenOptions {
  /** For example `600MB`. */
  readonly memoryLimit: string
  /** A folder to spill to; empty means an error instead of a spill (the front end, which sees clear values). */
  readonly spillFolder: string
  readonly threads?: number | undefined
  /** Extension files whose SHA-256 was verified need no signature check (0.3 s of CPU). */
  readonly allowUnsigned?: boolean
  /** Zone of times without one. */
  readonly timezone: string
}

export interface Database extends AsyncDisposable {
  readonly instance: DuckDBInstance
  readonly connection: DuckDBConnection
}

export async function openDuckDB(options: OpenOptions): Promise<Database> {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: options.memoryLimit,
    temp_directory: options.spillFolder,
    // Its own choice keeps half a million rows of every thread in memory before any partition is written.
    partitioned_write_flush_threshold: '122880',
    // Its own choice, 512 MB, keeps what a statement has freed for ten seconds, beside the new pages of the next.
    allocator_bulk_deallocation_flush_threshold: '1MB',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    ...(options.allowUnsigned ? { allow_unsigned_extensions: 'true' } : {}),
    ...(options.threads ? { threads: String(options.threads) } : {}),
  })
  const connection = await instance.connect()
  await connection.run(`set timezone = ${quoteText(options.timezone)}`)
  return {
    instance,
    connection,
    async [Symbol.asyncDispose]() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

/**
 * Gives memory that a large statement has freed back to the system. DuckDB's allocator keeps it for ten seconds, and the
 * next statement takes new pages beside it; to set the limit anew is the one call that empties it.
 */
export async function releaseMemory(connection: DuckDBConnection, memoryLimit: string): Promise<void> {
  await connection.run(`set memory_limit = ${quoteText(memoryLimit)}`)
}

/** DuckDB's type for each of a Result's. */
export const TYPE_NAMES: Readonly<Record<ColumnType, string>> = {
  text: 'varchar',
  integer: 'bigint',
  decimal: 'decimal(38, 9)',
  double: 'double',
  boolean: 'boolean',
  date: 'date',
  timestamp: 'timestamp',
  json: 'json',
}

/** A text as an SQL literal. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** A name as a quoted SQL identifier. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** Rows of a statement as objects whose integers are numbers: for small results of our own statements. */
export async function readRows<T>(connection: DuckDBConnection, sql: string): Promise<T[]> {
  const reader = await connection.runAndReadAll(sql)
  return reader.getRowObjects().map((row) => {
    const plain: Record<string, unknown> = {}
    for (const [name, value] of Object.entries(row)) {
      plain[name] = typeof value === 'bigint' ? Number(value) : value
    }
    return plain as T
  })
}

/** The first column of the first row, as a number. */
export async function readNumber(connection: DuckDBConnection, sql: string): Promise<number> {
  const reader = await connection.runAndReadAll(sql)
  return Number(reader.getRows()[0]?.[0] ?? 0)
}

/** DuckDB's own parse of a text, as JSON: `reviver` sees its numbers as they stand. A number beyond all doubles is null there. */
export async function readSyntax(
  connection: DuckDBConnection,
  sql: string,
  reviver?: Parameters<typeof JSON.parse>[1],
): Promise<unknown> {
  const reader = await connection.runAndReadAll('select json_serialize_sql($sql::varchar)', { sql })
  // It writes 1e400 as Infinity, which JSON has not.
  const json = String(reader.getRows()[0]?.[0]).replace(/"(?:[^"\\]|\\.)*"|-?Infinity/g, (part) =>
    part.startsWith('"') ? part : 'null',
  )
  return JSON.parse(json, reviver)
}
