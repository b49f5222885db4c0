/** Names of the warehouse in a session of Spark, whose temporary views have no schema. */

import { quoteText } from '../../duckdb.ts'
import { sqlTokens } from '../../sql-tokens.ts'
import type { Cell, ColumnType, Result, TableDeclaration } from '../../types.ts'

const SCHEMAS: ReadonlySet<string> = new Set(['raw', 'staging', 'core', 'meta'])

/** `staging.stg_course` → `staging_stg_course`, `core.dim_course` → `dim_course`: core is what a name without a schema means. */
export function viewName(table: string): string {
  return table.replace(/^core\./, '').replace('.', '_')
}

/** Under which name a session has all rows of a table, while the views of a role are made of them. */
export function baseName(table: string): string {
  return `lpa_all_${table.replace('.', '_')}`
}

/** A statement whose tables are called as the session's views are. */
export function withViewNames(sql: string): string {
  const tokens = sqlTokens(sql, 'spark')
  let text = ''
  for (let index = 0; index < tokens.length; index += 1) {
    const [token, dot, table] = tokens.slice(index, index + 3)
    const isSchema = SCHEMAS.has(token?.text ?? '') && tokens[index - 1]?.text !== '.' && dot?.text === '.'
    text += isSchema ? viewName(`${token?.text}.${table?.text}`) : token?.text
    if (isSchema) index += 2
  }
  return text
}

/** Whether a statement reads a table; one without a schema is of core. */
export function mentions(sql: string, table: string): boolean {
  const pattern = table.startsWith('core.')
    ? `(core\\.)?${table.slice('core.'.length)}`
    : table.replace('.', '\\.')
  return new RegExp(`(?<![\\w.])${pattern}\\b`).test(sql)
}

const TYPES: Readonly<Record<string, string>> = {
  varchar: 'string',
  json: 'string',
  // Read as what a Parquet file has.
  variant: 'variant',
  timestamp: 'timestamp_ntz',
  integer: 'int',
}

/** On Spark JSON is text, whatever the warehouse keeps it as. */
export function withText(table: TableDeclaration): TableDeclaration {
  const columns = table.columns.map((column) =>
    column.type === 'variant' ? { ...column, type: 'json' } : column,
  )
  return { ...table, columns }
}

/** The columns of a declared table, as Spark writes a schema. */
export function schemaOf({ columns }: Pick<TableDeclaration, 'columns'>): string {
  return columns.map(({ name, type }) => `\`${name}\` ${typeOf(type)}`).join(', ')
}

/** A SELECT of no row with the columns of a table. */
export function noRows({ columns }: Pick<TableDeclaration, 'columns'>): string {
  const nulls = columns.map(({ name, type }) => `cast(null as ${typeOf(type)}) as \`${name}\``)
  return `select ${nulls.join(', ')} where false`
}

export function typeOf(type: string): string {
  return TYPES[type] ?? type
}

const CELL_TYPES: Readonly<Record<ColumnType, string>> = {
  text: 'string',
  integer: 'bigint',
  decimal: 'decimal(38, 9)',
  double: 'double',
  boolean: 'boolean',
  date: 'date',
  timestamp: 'timestamp_ntz',
  json: 'string',
}

/** A SELECT of a small result's rows. */
export function rowsSelect({ columns, rows }: Result): string {
  const types = columns.map(({ type }) => CELL_TYPES[type])
  if (rows.length === 0)
    return noRows({
      columns: columns.map(({ name }, index) => ({ name, type: types[index] ?? '', required: false })),
    })
  const names = columns.map(({ name }) => `\`${name}\``)
  const literal = (cell: Cell) =>
    // A backslash is an escape in Spark's texts.
    typeof cell === 'string' ? quoteText(cell.replaceAll('\\', '\\\\')) : String(cell)
  const tuples = rows.map((row) => `(${row.map(literal).join(', ')})`)
  const casts = names.map((name, index) => `cast(${name} as ${types[index]}) as ${name}`)
  return `select ${casts.join(', ')} from values ${tuples.join(', ')} as t(${names.join(', ')})`
}
