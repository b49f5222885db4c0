/** Plain Parquet and CSV files that are shaped like tables of the warehouse, read in their place. Nothing is written. */

import { statSync } from 'node:fs'
import { basename } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { openDuckDB, quoteName, quoteText, readRows } from '../../duckdb.ts'
import { UserError } from '../../errors.ts'
import { systemFailure } from '../../system-failure.ts'
import type { Reader, TableDeclaration } from '../../types.ts'
import { createTable, withJsonTypes } from './table-ddl.ts'
import { cellConverter, columnType } from './values.ts'

export interface TableFilesOptions {
  /** Every table and view that a warehouse has; those without a file are empty. */
  readonly declared: readonly TableDeclaration[]
  /** The files of each table by its name, `core.dim_course`: all Parquet or all CSV. Asked again and again. */
  readonly find: () => ReadonlyMap<string, readonly string[]>
  /** A SELECT of `core.dim_date` from the facts, for where it has no file. */
  readonly days: string
  readonly memoryLimit: string
  readonly timezone: string
  readonly threads?: number | undefined
}

/**
 * Parquet is read where it lies, whenever it is asked; CSV is read once into memory. `version` does that, the first time and
 * when files have come, changed or gone, and counts it.
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
          const { ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true })
          return [path, ...[ino, size, mtimeNs, ctimeNs].map(String)]
        }),
      ]),
    )
    if (look !== known) {
      await readAnew(connection, options, files)
      known = look
      changes += 1
    }
    return String(changes)
  }
  return {
    dialect: 'duckdb',
    version,
    async query(statement, values) {
      if (isStopped) throw new Error('It was interrupted.')
      if (OF_LOADS.test(statement)) {
        throw new UserError('LPA-DASH-FILES', 'Plain files tell nothing of loads, checks and streams.', {
          ...{ exit: 'usage', next: 'A warehouse does: lpa dash, without files' },
        })
      }
      const reader = await connection
        .runAndReadAll(statement, values as Record<string, never> | undefined)
        .catch((error) => {
          // A mistake in a report is told as it is: it quotes the report.
          const isOfFiles = /^(Conversion|Invalid Input|IO|Serialization) Error/i.test(error.message)
          throw isOfFiles ? readFailure(error, 'one of the files') : error
        })
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

/** What only a warehouse has. */
const OF_LOADS = /\b(meta|raw)\./

const SCHEMAS = ['raw', 'staging', 'core', 'meta']

async function readAnew(
  connection: DuckDBConnection,
  { declared, days }: Pick<TableFilesOptions, 'declared' | 'days'>,
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
    await connection.run('use core')
    if (!files.has('core.dim_date')) {
      await connection.run('create temp table configured_term (term varchar, first_day date, last_day date)')
      await connection.run(`insert into dim_date by name ${days}`)
      await connection.run('drop table configured_term')
    }
    await connection.run('commit')
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
    ? `read_csv(${list}, all_varchar = true, header = true, delim = ',', quote = '"', escape = '"', union_by_name = true,
        hive_partitioning = false)`
    : `read_parquet(${list}, union_by_name = true, hive_partitioning = false)`
  const shown = paths.length === 1 ? basename(paths[0] ?? '') : `${paths.length} files of ${table.name}`
  /** What DuckDB says of files may quote their values. */
  const reading = <T>(work: Promise<T>) =>
    work.catch((error) => {
      throw readFailure(error, shown)
    })
  const found = await reading(
    readRows<{ column_name: string; column_type: string }>(connection, `describe select * from ${rows}`),
  )
  const types = new Map(found.map(({ column_name, column_type }) => [column_name.toLowerCase(), column_type]))
  const lacking = table.columns.filter(({ name, required }) => required && !types.has(name))
  if (lacking.length > 0)
    throw notShaped(shown, `It has no column ${lacking.map(({ name }) => name).join(', ')}.`)
  const givenValue = (name: string) => {
    const type = types.get(name)
    if (type === undefined) return 'null'
    return type === 'TIMESTAMP WITH TIME ZONE' ? `timezone('UTC', ${quoteName(name)})` : quoteName(name)
  }
  // Of Parquet whose types are those of the table, no row is read for it.
  const doubtful = table.columns.filter(
    ({ name, type }) =>
      types.has(name) && types.get(name)?.toLowerCase().replaceAll(' ', '') !== type.replaceAll(' ', ''),
  )
  if (doubtful.length > 0) {
    const wrong = doubtful.map(
      ({ name, type }) =>
        `count(*) filter (${givenValue(name)} is not null and try_cast(${givenValue(name)} as ${type}) is null) as ${quoteName(name)}`,
    )
    const [counts = {}] = await reading(
      readRows<Record<string, number>>(connection, `select ${wrong.join(', ')} from ${rows}`),
    )
    const bad = doubtful.find(({ name }) => (counts[name] ?? 0) > 0)
    if (bad)
      throw notShaped(shown, `It holds values of ${bad.name} that are no ${bad.type} (${counts[bad.name]}).`)
  }
  const columns = table.columns.map(
    ({ name, type }) => `cast(${givenValue(name)} as ${type}) as ${quoteName(name)}`,
  )
  const made = isCsv ? 'table' : 'view'
  await reading(connection.run(`create ${made} ${table.name} as select ${columns.join(', ')} from ${rows}`))
}

/** In words that quote nothing of the files: their text would be in messages, logs and panels. */
function readFailure(error: unknown, shown: string): unknown {
  const message = error instanceof Error ? error.message : ''
  if (/^(INTERRUPT|Out of Memory)/i.test(message)) return systemFailure(message, undefined) ?? error
  const line = /on Line: (\d+)/i.exec(message)?.[1]
  return notShaped(line ? `${shown}:${line}` : shown, 'It cannot be read as Parquet or CSV of its kind.')
}

function isCsvFile(path: string): boolean {
  return /\.csv(\.gz|\.zst)?$/i.test(path)
}

function notShaped(where: string, what: string): UserError {
  return new UserError('LPA-DASH-SHAPE', what, {
    ...{ exit: 'data', where },
    next: 'Files are shaped like the tables of core: lpa query --sql "select * from TABLE" --format parquet writes such.',
  })
}
