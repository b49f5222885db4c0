/** What a mapping sees: the records of stage one as a table, and what is kept of each as one JSON object. */

import { quoteName, quoteText } from '../duckdb.ts'
import { ancestorOf, type Field, isJson } from './fields.ts'
import type { StageTwoOptions } from './stage-two-options.ts'

/** Every record of stage one's file with its number; those that are not ok have no fields. */
export function recordsSql(file: string): string {
  return `select *, file_row_number + 1 as source_row from read_parquet(${quoteText(file)}, file_row_number = true)`
}

export function sourceSql(options: StageTwoOptions): string {
  const { fields } = options
  const names = new Set(fields.filter((field) => field.isColumn).map((field) => field.name))
  const columns = [...names].map((name) => quoteName(name))
  // A column that the mapping drops, or does not name, is null.
  const declared = sourceColumns(options)
  for (const name of declared)
    if (!names.has(name)) columns.push(`cast(null as varchar) as ${quoteName(name)}`)
  // A table may have columns of these names: they are its own then.
  const taken = new Set(declared.map((name) => name.toLowerCase()))
  if (!taken.has('payload')) columns.push(`${payloadSql(fields)} as payload`)
  if (!taken.has('source_file')) columns.push(`${quoteText(options.uri)} as source_file`)
  return `select ${columns.join(', ')}, source_row from lpa_records where lpa_fault is null`
}

export function sourceColumns({ mapping, header }: StageTwoOptions): readonly string[] {
  return mapping.columns?.map((column) => column.name) ?? header
}

/**
 * The kept paths as one JSON object, without keys that were absent. Written as text: half the cost of to_json and
 * a merge that takes the nulls out. Fields of which no record has a value need not be written.
 */
export function payloadSql(fields: readonly Field[], written = fields): string {
  type Node = { field?: Field; children: Map<string, Node> }
  const root: Node = { children: new Map() }
  for (const field of written) {
    if (ancestorOf(field, fields)) continue
    let node = root
    for (const key of field.path) {
      const child = node.children.get(key) ?? { children: new Map() }
      node.children.set(key, child)
      node = child
    }
    node.field ??= field
  }
  // concat_ws() passes over nulls: an absent value takes its key with it, an empty object too.
  const members = (node: Node): string =>
    `nullif(concat_ws(',', ${[...node.children].map(([key, child]) => member(key, child)).join(', ')}), '')`
  const member = (key: string, { field, children }: Node): string => {
    const label = quoteText(`${JSON.stringify(key)}:`)
    if (!field) return `${label} || '{' || ${members({ children })} || '}'`
    const name = quoteName(field.name)
    if (isJson(field)) return `${label} || cast(${name} as varchar)`
    const text = `cast(to_json(${name}) as varchar)`
    // JSON's numbers end in a digit, those that it has not do not.
    return field.type === 'number'
      ? `${label} || case when ${name}[-1] between '0' and '9' then coalesce(cast(try_cast(${name} as json) as varchar), ${text}) else ${text} end`
      : `${label} || ${text}`
  }
  if (root.children.size === 0) return `cast('{}' as json)`
  return `cast(coalesce('{' || ${members(root)} || '}', '{}') as json)`
}
