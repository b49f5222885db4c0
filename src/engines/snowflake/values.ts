/** From the texts that Snowflake's driver gives to the cells of a Result, and from named values to its binds. */

import type { Column as DriverColumn } from 'snowflake-sdk'
import { type SqlToken, sqlTokens } from '../../sql-tokens.ts'
import type { Cell, Column, ColumnType, Values } from '../../types.ts'

/** A column's name and type: what was not quoted is in capitals to Snowflake. */
export function columnOf(column: DriverColumn): Column {
  const name = column.getName()
  return { name: name === name.toUpperCase() ? name.toLowerCase() : name, type: columnType(column) }
}

function columnType(column: DriverColumn): ColumnType {
  switch (column.getType().toLowerCase()) {
    case 'fixed':
      return column.getScale() === 0 ? 'integer' : 'decimal'
    case 'real':
    case 'decfloat':
      return 'double'
    case 'boolean':
      return 'boolean'
    case 'date':
      return 'date'
    case 'timestamp_ntz':
    case 'timestamp_ltz':
    case 'timestamp_tz':
      return 'timestamp'
    case 'variant':
    case 'object':
    case 'array':
    case 'map':
    case 'vector':
      return 'json'
    default:
      return 'text'
  }
}

/** A function that turns one column's values, fetched as texts, into cells. */
export function cellConverter({ type }: Column): (value: unknown) => Cell {
  const convert = CONVERTERS[type]
  return (value) => (value === null || value === undefined ? null : convert(value))
}

const CONVERTERS: Readonly<Record<ColumnType, (value: unknown) => Cell>> = {
  integer: (value) => {
    const exact = BigInt(String(value))
    const number = Number(exact)
    return Number.isSafeInteger(number) ? number : exact
  },
  decimal: String,
  double: (value) => DOUBLES[String(value).toLowerCase()] ?? Number(value),
  boolean: (value) => value === true || value === 'true' || value === '1',
  date: String,
  timestamp: (value) => isoTimestamp(String(value)),
  json: (value) => compactJson(typeof value === 'string' ? value : JSON.stringify(value)),
  // Binary, as Snowflake itself writes it.
  text: (value) => (Buffer.isBuffer(value) ? value.toString('hex').toUpperCase() : String(value)),
}

/** As Snowflake writes what is no number. */
const DOUBLES: Readonly<Record<string, number>> = {
  inf: Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
  nan: Number.NaN,
}

/** `2026-01-12 08:13:22.120000000` or `… +0100` becomes `2026-01-12T08:13:22.12Z`, in UTC. */
function isoTimestamp(text: string): string {
  const match = /^(\d+-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d+))?(?: ?(?:Z|([+-])(\d\d):?(\d\d)))?$/.exec(text)
  if (!match) return text
  const [, day = '', time = '', fraction = '', sign, hours, minutes] = match
  const offset = (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * (sign === '-' ? -1 : 1)
  // Whole minutes leave the fraction as it is.
  const utc = offset === 0 ? `${day}T${time}` : shifted(`${day}T${time}Z`, -offset)
  const digits = fraction.replace(/0+$/, '')
  return `${utc}${digits === '' ? '' : `.${digits}`}Z`
}

function shifted(instant: string, minutes: number): string {
  return new Date(Date.parse(instant) + minutes * 60_000).toISOString().slice(0, 'YYYY-MM-DDThh:mm:ss'.length)
}

/** JSON without the blanks and line ends that Snowflake writes between its parts. */
function compactJson(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|\s+/g, (part) => (part.startsWith('"') ? part : ''))
}

/** A statement with `?` in place of `$name`, and the values in their order: names are no parameters to Snowflake. */
export function positional(statement: string, values: Values = {}): { text: string; binds: Bind[] } {
  if (!statement.includes('$')) return { text: statement, binds: [] }
  const binds: Bind[] = []
  const parts = tokensOf(statement).map(({ kind, text }) => {
    const name = text.slice(1)
    // `$1` is a column of a staged file.
    if (kind !== 'parameter' || !Object.hasOwn(values, name)) return text
    binds.push(bindOf(values[name] ?? null))
    return '?'
  })
  return { text: parts.join(''), binds }
}

/** Of text that is no SQL there are none: Snowflake says so better. */
function tokensOf(statement: string): readonly Pick<SqlToken, 'kind' | 'text'>[] {
  try {
    return sqlTokens(statement, 'snowflake')
  } catch {
    return [{ kind: 'string', text: statement }]
  }
}

export type Bind = string | number | boolean | null

/** An integer beyond what a number holds is bound as its digits, which Snowflake casts. */
export function bindOf(value: Cell): Bind {
  return typeof value === 'bigint' ? String(value) : value
}
