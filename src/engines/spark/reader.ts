/** Asks reports of Spark, or SQL of one's own, over the files of a warehouse that is elsewhere. */

import { UserError } from '../../errors.ts'
import type { Result, RoleTraits, Values } from '../../types.ts'
import { viewName, withViewNames } from './names.ts'
import { checkStatement } from './statement-check.ts'
import { SparkTables, type SparkTablesOptions } from './tables.ts'

export interface SparkReader extends AsyncDisposable {
  readonly dialect: 'spark'
  readonly role?: RoleTraits
  /** Of lpa's own SQL. */
  query(statement: string, values?: Values): Promise<Result>
  /**
   * Of a user's.
   * @throws UserError LPA-QUERY-REFUSED (77) for what is not one SELECT over tables that may be read
   */
  ask(statement: string, values?: Values): Promise<Result>
}

export async function openSparkReader(options: SparkTablesOptions): Promise<SparkReader> {
  const tables = await SparkTables.open(options)
  const { declared, role } = options
  const readable = { tables: role?.tables ?? declared.map(({ name }) => name), role }

  async function answer(statement: string, names: string, values?: Values): Promise<Result> {
    await tables.need(names)
    await tables.hide()
    return tables.session.query(statement, values)
  }

  return {
    dialect: 'spark',
    ...(role && { role }),
    query: (statement, values) =>
      answer(withViewNames(statement), statement, values).catch((error) => {
        throw notReadable(error) ?? error
      }),
    async ask(statement, values) {
      const { sql, tables: named } = checkStatement(statement, readable)
      return answer(sql, [...named].join(), values)
    },
    [Symbol.asyncDispose]: () => tables[Symbol.asyncDispose](),
  }

  /** A report that reads what the role may not: Spark says that there is no such table. */
  function notReadable(error: unknown): UserError | undefined {
    const [, name] = /TABLE_OR_VIEW_NOT_FOUND.*? `(\w+)`/.exec(String((error as Error).message)) ?? []
    const table = declared.find((one) => viewName(one.name) === name)
    if (role === undefined || table === undefined) return undefined
    return new UserError(
      'LPA-QUERY-REFUSED',
      `The report reads ${table.name}, which the role ${role.role} may not.`,
      { exit: 'notPermitted', next: `What it may: lpa grant show ${role.role}` },
    )
  }
}
