/** Which mask covers a column, and what masks fit which types. */

import type { TableDeclaration } from '../types.ts'
import type { ColumnName, Mask, Masking, Policy } from './policy.ts'

type TypeFamily = 'text' | 'number' | 'date' | 'other'

const FITS: Readonly<Record<Masking['how'], readonly TypeFamily[]>> = {
  full: ['text'],
  hash: ['text'],
  partial: ['text'],
  month: ['date'],
  band: ['number'],
  null: ['text', 'number', 'date', 'other'],
}

/** Of a declared type: `varchar`, `decimal(9, 2)`. */
function familyOf(type: string): TypeFamily {
  if (/^varchar/.test(type)) return 'text'
  if (/^(integer|bigint|double|decimal)/.test(type)) return 'number'
  return /^(date|timestamp)/.test(type) ? 'date' : 'other'
}

export function fits({ how }: Masking, type: string): boolean {
  return FITS[how].includes(familyOf(type))
}

/** All columns of the tables as `core.dim_learner.country`, with their declared types. */
export function columnTypes(tables: readonly TableDeclaration[]): ReadonlyMap<ColumnName, string> {
  return new Map(
    tables.flatMap(({ name, columns }) =>
      columns.map((column) => [`${name}.${column.name}`, column.type] as const),
    ),
  )
}

/** The masks that cover each column: one, in a policy without mistakes. Those that name it, else those of its tags. */
export function masksByColumn({
  masks,
  taggings,
}: Pick<Policy, 'masks' | 'taggings'>): ReadonlyMap<ColumnName, readonly Mask[]> {
  const named = new Map<ColumnName, Mask[]>()
  for (const mask of masks)
    for (const column of mask.columns) named.set(column, [...(named.get(column) ?? []), mask])
  const tagged = new Map<ColumnName, Mask[]>()
  for (const { tag, value, table, column } of taggings) {
    if (column === undefined) continue
    const name = `${table}.${column}`
    for (const mask of masks)
      if (mask.tagged.some((one) => one.tag === tag && one.value === value))
        tagged.set(name, [...new Set([...(tagged.get(name) ?? []), mask])])
  }
  return new Map([...tagged, ...named])
}
