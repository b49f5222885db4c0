import { safeJson } from '../safe-text.ts'
import type { Cell, Column, ColumnType, Row } from '../types.ts'

/** One row as a JSON object; `keys` come from `objectKeys`. */
export function rowJson(row: Row, columns: readonly Column[], keys: readonly string[]): string {
  let text = '{'
  for (let index = 0; index < columns.length; index++) {
    const column = columns[index] as Column
    text += `${index === 0 ? '' : ','}${keys[index]}:${cellJson(row[index] ?? null, column.type)}`
  }
  return `${text}}`
}

/** The JSON keys of the columns, with their quotes. A name that comes twice gets a number, for no value to be lost. */
export function objectKeys(columns: readonly Column[]): string[] {
  const taken = new Set<string>()
  return columns.map(({ name }) => {
    let key = name
    for (let number = 2; taken.has(key); number++) key = `${name}_${number}`
    taken.add(key)
    return textJson(key)
  })
}

function cellJson(cell: Cell, type: ColumnType): string {
  if (cell === null) return 'null'
  switch (typeof cell) {
    case 'string':
      if (type === 'decimal' && /^-?(0|[1-9]\d*)(\.\d+)?$/.test(cell)) return cell
      return type === 'json' ? embedded(cell) : textJson(cell)
    case 'number':
      return Number.isFinite(cell) ? String(cell) : `"${cell}"`
    default:
      return String(cell)
  }
}

function textJson(text: string): string {
  return safeJson(JSON.stringify(text))
}

/** A JSON column's own text, its numbers and double keys untouched, on one line. */
function embedded(text: string): string {
  try {
    JSON.parse(text)
  } catch {
    return textJson(text)
  }
  // In valid JSON a raw line end stands between tokens only.
  return safeJson(text.trim().replace(/[\r\n\t]+/g, ' '))
}

interface ExactJson {
  /** Node 22+, not in TypeScript's library yet: a value printed as the text it is given. */
  rawJSON(text: string): unknown
}

/** Any value as JSON: bigints exact, NaN and infinities named. `indent` as for JSON.stringify. */
export function exactJson(value: unknown, indent = 0): string {
  const json = JSON.stringify(
    value,
    (_, item: unknown) => {
      if (typeof item === 'bigint') return (JSON as unknown as ExactJson).rawJSON(String(item))
      return typeof item === 'number' && !Number.isFinite(item) ? String(item) : item
    },
    indent,
  )
  return safeJson(json)
}
