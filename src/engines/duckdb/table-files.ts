/** Plain Parquet and CSV files that are shaped like tables of the warehouse, read in their place. Nothing is written. */

import { statSync } from 'node:fs'
import { basename } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { openDuckDB, quoteName, quoteText, readRows } from '../../duckdb.ts'
import { UserError } from '../../errors.ts'
import type { Reader, TableDeclaration } from '../../types.ts'
import { createTable, withJsonTypes } from './table-ddl.ts'
import { cellConverter, columnType } from './values.ts'

export interface TableFilesOptions {
  /** Every table and view that a warehouse has; those without a file are empty. */
  readonly declared: readonly TableDeclaration[]
  /** The files of each table by its name, `core.dim_course`: all Parquet or all CSV. Asked again and again. */
  readonly find: () => ReadonlyMap<string, readonly string[]>
  readonly memoryLimit: string
  readonly timezone: string
  readonly threads?: number | undefined
}

/**
 * Parquet is read where it lies, whenever it is asked; CSV is read once into memory. When files come, change or go, all is
 * read anew, and `version` counts it.
 * @throws UserError data (65) for files that lack columns, or hold values of other types
 */
export async function openTableFiles(options: TableFilesOptions): Promise<Reader> {
  const duckdb = await import('@duckdb/node-api')
  const { memoryLimit, timezone, threads } = options
  const database = await openDuckDB({ memoryLimit, timezone, threads, spillFolder: '' })
  const { connection } = database
  let known: string | undefined
  let changes = 0
  let isStopped = false

  async function version(): Promise<string> {
    const files = options.find()
    const look = JSON.stringify(
      [...files].map(([table, paths]) => [
        table,
        paths.map((path) => {
          const { ino, size, mtimeNs } = statSync(path, { bigint: true })
          return [path, String(ino), String(size), String(mtimeNs)]
        }),
      ]),
    )
    if (look !== known) {
      await readAnew(connection, options.declared, files)
      known = look
      changes += 1
    }
    return String(changes)
  }
  try {
    await version()
  } catch (error) {
    await database[Symbol.asyncDispose]()
    throw error
  }
  return {
    dialect: 'duckdb',
    version,
    async query(statement, values) {
      if (isStopped) throw new Error('It was interrupted.')
      const reader = await connection.runAndReadAll(statement, values as Record<string, never> | undefined)
      const columns = reader.columnNames().map((name, index) => ({
        name,
        type: columnType(duckdb, reader.columnType(index)),
      }))
      const converters = columns.map((column, index) =>
        cellConverter(duckdb, column, reader.columnType(index)),
      )
      const rows = reader
        .getRows()
        .map((row) => row.map((value, index) => converters[index]?.(value) ?? null))
      return { columns, rows }
    },
    interrupt() {
      isStopped = true
      connection.interrupt()
    },
    async close() {
      await database[Symbol.asyncDispose]()
    },
  }
}

const SCHEMAS = ['raw', 'staging', 'core', 'meta']

async function readAnew(
  connection: DuckDBConnection,
  declared: readonly TableDeclaration[],
  files: ReadonlyMap<string, readonly string[]>,
): Promise<void> {
  await connection.run('begin')
  try {
    for (const schema of SCHEMAS)
      await connection.run(`drop schema if exists ${schema} cascade; create schema ${schema}`)
    for (const table of declared) {
      const paths = files.get(table.name)
      if (paths) await readTable(connection, withJsonTypes(table, {}), paths)
      else await connection.run(createTable(withJsonTypes(table, {}))[0] ?? '')
    }
    await connection.run('commit; use core')
  } catch (error) {
    await connection.run('rollback').catch(() => {})
    throw error
  }
}

async function readTable(
  connection: DuckDBConnection,
  table: TableDeclaration,
  paths: readonly string[],
): Promise<void> {
  const list = `[${paths.map(quoteText).join(', ')}]`
  const isCsv = isCsvFile(paths[0] ?? '')
  const rows = isCsv
    ? `read_csv(${list}, all_varchar = true, header = true, union_by_name = true, hive_partitioning = false)`
    : `read_parquet(${list}, union_by_name = true, hive_partitioning = false)`
  const shown = paths.length === 1 ? basename(paths[0] ?? '') : `${paths.length} files of ${table.name}`
  const found = await readRows<{ column_name: string }>(connection, `describe select * from ${rows}`).catch(
    (cause) => {
      throw notShaped(shown, `cannot be read as ${isCsv ? 'CSV' : 'Parquet'}`, cause)
    },
  )
  const names = new Set(found.map(({ column_name }) => column_name.toLowerCase()))
  const lacking = table.columns.filter(({ name, required }) => required && !names.has(name))
  if (lacking.length > 0)
    throw notShaped(shown, `has no column ${lacking.map(({ name }) => name).join(', ')}`)
  const given = table.columns.filter(({ name }) => names.has(name))
  const cast = ({ name, type }: TableDeclaration['columns'][number]) =>
    `cast(${names.has(name) ? quoteName(name) : 'null'} as ${type}) as ${quoteName(name)}`
  const wrong = given.map(
    ({ name, type }) =>
      `count(*) filter (${quoteName(name)} is not null and try_cast(${quoteName(name)} as ${type}) is null) as ${quoteName(name)}`,
  )
  const select = `select ${table.columns.map(cast).join(', ')} from ${rows}`
  try {
    // Of Parquet no row is read for it.
    if (isCsv) await connection.run(`create table ${table.name} as ${select}`)
    else await connection.run(`create view ${table.name} as ${select}`)
  } catch (cause) {
    await connection.run('rollback')
    const [counts = {}] = await readRows<Record<string, number>>(
      connection,
      `select ${wrong.join(', ')} from ${rows}`,
    )
    const [name] = Object.entries(counts).find(([, count]) => count > 0) ?? []
    const type = table.columns.find((column) => column.name === name)?.type
    if (name === undefined) throw cause
    throw notShaped(shown, `holds values of ${name} that are no ${type} (${counts[name]})`, cause)
  }
}

function isCsvFile(path: string): boolean {
  return /\.csv(\.gz|\.zst)?$/i.test(path)
}

function notShaped(file: string, what: string, cause?: unknown): UserError {
  return new UserError('LPA-DASH-SHAPE', `It ${what}.`, {
    ...{ exit: 'data', where: file, cause },
    next: 'Files are shaped like the tables of core: lpa query --sql "select * from TABLE" --format parquet writes such.',
  })
}
