/** What row rules select, tried over empty tables: only a database tells whether columns are there and types fit. */

import { openDuckDB } from '../duckdb.ts'
import type { TableDeclaration } from '../types.ts'
import type { RowRule } from './policy.ts'
import { condition, LAKE } from './role-views.ts'

/** Why rules cannot filter their tables, by their names. */
export async function failingRules(
  rules: readonly RowRule[],
  declared: readonly TableDeclaration[],
): Promise<ReadonlyMap<string, string>> {
  const failures = new Map<string, string>()
  const selecting = rules.filter(({ allowed }) => allowed !== undefined)
  if (selecting.length === 0) return failures
  await using database = await openDuckDB({ memoryLimit: '300MB', spillFolder: '', timezone: 'UTC' })
  const { connection } = database
  const tables = declared.filter(({ kind }) => kind === 'table')
  const schemas = new Set(tables.map(({ name }) => name.split('.', 1)[0]))
  await connection.run(
    [
      `attach ':memory:' as ${LAKE}`,
      `use ${LAKE}`,
      ...[...schemas].map((schema) => `create schema ${schema}`),
      ...tables.map(({ sql }) => sql),
    ].join(';\n'),
  )
  for (const rule of selecting) {
    for (const { table, column } of rule.on) {
      const sql = `select 1 from ${LAKE}.${table} where ${condition({ rule, column, values: [''] })}`
      await connection.prepare(sql).then(
        (statement) => statement.destroySync(),
        (error: Error) => failures.set(rule.name, failures.get(rule.name) ?? reasonOf(error)),
      )
    }
  }
  return failures
}

/** DuckDB's own first line, without the kind of error. */
function reasonOf({ message }: Error): string {
  return (message.split('\n', 1)[0] ?? '').replace(/^\w+ Error: /, '')
}
