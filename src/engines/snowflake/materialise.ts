/** How models become rows in Snowflake: by DML alone, since a CREATE would end the transaction. */

import type { Model } from '../../types.ts'

/** The statements of a model; the last one answers how many rows it wrote. */
export function materialiseSql(model: Model, full: boolean): string[] {
  const { name, materialise, select } = model
  if (materialise.kind === 'temporary') {
    if (materialise.once) return [`insert into ${name} select * from (${select})`]
    // Run again, a temporary model adds what is new.
    return [`insert into ${name} select * from (${select}) except select * from ${name}`]
  }
  const table = `core.${name}`
  const columns = model.columns.join(', ')
  const rows = `select ${model.columns.map((column) => `m.${column}`).join(', ')} from (${select}) m`
  const insert = `insert into ${table} (${columns}) ${rows}`
  if (full || materialise.kind === 'table') return [`delete from ${table}`, insert]
  const same = (a: string, b: string) =>
    materialise.key.map((column) => `${a}.${column} = ${b}.${column}`).join(' and ')
  if (materialise.window) {
    const { window } = materialise
    return [`delete from ${table} using ${window} where ${same(name, window)}`, insert]
  }
  return [`${insert} where not exists (select 1 from ${table} t where ${same('t', 'm')})`]
}
