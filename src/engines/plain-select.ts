/** Of a table, all rows as any reader takes them. */

import { expand } from '../sql-expand.ts'
import type { Column, Reader } from '../types.ts'

/** The table's columns, and a SELECT of them in which semi-structured ones are JSON text. */
export async function plainSelect(
  { dialect, query }: Pick<Reader, 'dialect' | 'query'>,
  table: string,
): Promise<{ columns: readonly Column[]; select: string }> {
  const { columns } = await query(`select * from ${table} limit 0`)
  const shown = columns.map(({ name, type }) => (type === 'json' ? `lpa_json(${name}) as ${name}` : name))
  return { columns, select: expand(`select ${shown.join(', ')} from ${table}`, dialect) }
}
