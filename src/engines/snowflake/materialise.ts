/** How models become rows in Snowflake: by DML alone, since a CREATE would end the transaction. */

import type { Model } from '../../types.ts'

type Materialised = Pick<Model, 'name' | 'materialise'>

/** What takes away the rows that a model makes anew. */
export function removalSql({ name, materialise }: Materialised, full: boolean): string[] {
  if (materialise.kind === 'temporary') return []
  const table = `core.${name}`
  if (full || materialise.kind === 'table') return [`delete from ${table}`]
  const { window, key } = materialise
  return window ? [`delete from ${table} using ${window} where ${sameKey(key, name, window)}`] : []
}

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
  const removal = removalSql(model, full)
  if (removal.length > 0 || materialise.kind === 'table') return [...removal, insert]
  return [`${insert} where not exists (select 1 from ${table} t where ${sameKey(materialise.key, 't', 'm')})`]
}

function sameKey(key: readonly string[], a: string, b: string): string {
  return key.map((column) => `${a}.${column} = ${b}.${column}`).join(' and ')
}
