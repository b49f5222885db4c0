/** Asks reports of Spark, over the files of a warehouse that is elsewhere. */

import type { Result, Values } from '../../types.ts'
import { withViewNames } from './names.ts'
import { SparkTables, type SparkTablesOptions } from './tables.ts'

export interface SparkReader extends AsyncDisposable {
  readonly dialect: 'spark'
  query(statement: string, values?: Values): Promise<Result>
}

export async function openSparkReader(options: SparkTablesOptions): Promise<SparkReader> {
  const tables = await SparkTables.open(options)
  return {
    dialect: 'spark',
    async query(statement, values) {
      await tables.need(statement)
      return tables.session.query(withViewNames(statement), values)
    },
    [Symbol.asyncDispose]: () => tables[Symbol.asyncDispose](),
  }
}
