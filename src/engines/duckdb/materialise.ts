/** How models become rows in a DuckLake: always inside one transaction with what they read. */

import type { DuckDBConnection } from '@duckdb/node-api'
import { quoteName, TYPE_NAMES } from '../../duckdb.ts'
import type { Model, Result } from '../../types.ts'

/** The statements of a model; the last one answers how many rows it wrote. */
export function materialiseSql(model: Model, full: boolean): string[] {
  const { name, materialise, select } = model
  if (materialise.kind === 'temporary') {
    if (materialise.once) return [`create temp table ${name} as ${select}`]
    // Run again, a temporary model adds what is new.
    return [
      `create temp table if not exists ${name} as select * from (${select}) where false`,
      `insert into ${name} select * from (${select}) except select * from ${name}`,
    ]
  }
  const table = `core.${name}`
  const columns = model.columns.map(quoteName).join(', ')
  const rows = `select ${model.columns.map((column) => `m.${quoteName(column)}`).join(', ')} from (${select}) m`
  if (full || materialise.kind === 'table')
    return [`delete from ${table}`, `insert into ${table} (${columns}) ${rows}`]
  const same = (other: string) =>
    materialise.key.map((column) => `${other}.${quoteName(column)} = m.${quoteName(column)}`).join(' and ')
  if (materialise.window) {
    return [
      `delete from ${table} m where exists (select 1 from ${materialise.window} w where ${same('w')})`,
      `insert into ${table} (${columns}) ${rows}`,
    ]
  }
  return [
    `insert into ${table} (${columns}) ${rows} where not exists (select 1 from ${table} t where ${same('t')})`,
  ]
}

/** Of one statement. */
const MOST_VALUES = 5000

/** Makes a temporary table of a small result, in place of one of that name. */
export async function fillTemporaryTable(
  connection: DuckDBConnection,
  name: string,
  { columns, rows }: Result,
): Promise<void> {
  const declared = columns.map((column) => `${quoteName(column.name)} ${TYPE_NAMES[column.type]}`).join(', ')
  await connection.run(`create or replace temp table ${name} (${declared})`)
  const most = Math.max(1, Math.floor(MOST_VALUES / columns.length))
  for (let at = 0; at < rows.length; at += most) {
    const some = rows.slice(at, at + most)
    const holes = some.map((_, row) =>
      columns.map((_, index) => `$${row * columns.length + index + 1}`).join(', '),
    )
    await connection.run(
      `insert into ${name} values ${holes.map((row) => `(${row})`).join(', ')}`,
      some.flat(),
    )
  }
}
