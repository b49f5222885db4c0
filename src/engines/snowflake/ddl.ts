/** Snowflake's statements for declared tables. */

import { referenceOf } from '../../ddl.ts'
import type { TableChange, TableDeclaration } from '../../types.ts'

/** Stage of files on their way into tables, and the numbers of loads: both come with the ledger of loads. */
export const STAGE = 'meta.staged_files'
export const LOAD_IDS = 'meta.load_ids'

/** Of the areas: `schema apply` begins with them, and so do the scripts for a DBA. */
export function createSchema(area: string): string {
  return `create schema if not exists ${area}`
}

/** Words that Snowflake takes for no column's name unless they are quoted. */
const RESERVED: ReadonlySet<string> = new Set(['rows'])

export function columnName(name: string): string {
  return RESERVED.has(name) ? `"${name.toUpperCase()}"` : name
}

/** A declared type, as the information schema names it. */
function liveType(declared: string): string {
  const type = declared.toLowerCase().replace(/\s+/g, '')
  const [, digits, scale] = /^decimal\((\d+),(\d+)\)$/.exec(type) ?? []
  if (digits) return `number(${digits},${scale})`
  const known = LIVE_TYPES[type]
  if (!known) throw new Error(`Snowflake has no type for ${declared}.`)
  return known
}

const LIVE_TYPES: Readonly<Record<string, string>> = {
  varchar: 'text',
  json: 'text',
  bigint: 'number(38,0)',
  integer: 'number(38,0)',
  double: 'float',
  boolean: 'boolean',
  date: 'date',
  timestamp: 'timestamp_ntz',
  variant: 'variant',
}

/** The types of the information schema as a CREATE has them. */
function writtenType(type: string): string {
  return type === 'text' ? 'varchar' : type
}

/** A declared table as Snowflake has it: its types, payloads as VARIANT, sorting as its clustering key, no partitions. */
export function withSnowflakeTypes(table: TableDeclaration): TableDeclaration {
  const columns = table.columns.map((column) => ({
    ...column,
    type: isPayload(table.name, column.name) ? 'variant' : liveType(column.type),
  }))
  const own = { ...table, columns, partitionMonth: undefined }
  return table.kind === 'view' ? own : { ...own, sql: tableSql(own) }
}

/** Raw events can be asked for paths; what staging has is written once and read once, as text. */
function isPayload(table: string, column: string): boolean {
  return table === 'raw.raw_learning_events' && column === 'payload'
}

/**
 * Of all tables: so long `--at` reads them and UNDROP brings them back. What every edition of Snowflake has, and as much as
 * a transient table can have.
 */
const RETENTION_DAYS = 1

/** A table's CREATE, with keys that Snowflake does not enforce and tools read. */
function tableSql({ name, columns, cluster, key }: TableDeclaration): string {
  const lines = columns.map(
    (column) =>
      `  ${columnName(column.name)} ${writtenType(column.type)}${column.required ? ' not null' : ''}`,
  )
  if (key.length > 0) lines.push(`  primary key (${key.map(columnName).join(', ')})`)
  for (const column of columns) {
    const to = referenceOf(name, column.name)
    if (to) lines.push(`  foreign key (${column.name}) references ${to.table} (${to.column})`)
  }
  // Staging is made anew of its sources, so Fail-safe is not paid for.
  const isTransient = name.startsWith('staging.')
  return [
    `create ${isTransient ? 'transient ' : ''}table if not exists ${name} (\n${lines.join(',\n')}\n)`,
    ...(cluster.length > 0 ? [`cluster by (${cluster.join(', ')})`] : []),
    `data_retention_time_in_days = ${RETENTION_DAYS}`,
  ].join('\n')
}

/** A table of the session, which a transaction fills. */
export function sessionTable({ name, columns }: TableDeclaration): string {
  const parts = columns.map((column) => `${column.name} ${writtenType(liveType(column.type))}`)
  return `create or replace temporary table ${name} (${parts.join(', ')})`
}

export function createTable(table: TableDeclaration): string[] {
  if (table.kind === 'view') return [table.sql.replace(/^create view/, 'create or replace view')]
  if (table.name !== 'meta.loads') return [table.sql]
  return [
    `create sequence if not exists ${LOAD_IDS} start = 1 increment = 1 order`,
    `create stage if not exists ${STAGE}`,
    table.sql,
  ]
}

export function alterTable(table: TableDeclaration, change: TableChange): string[] {
  const alter = `alter table ${table.name}`
  switch (change.kind) {
    case 'add column':
      return [`${alter} add column ${columnName(change.column)} ${writtenType(change.type)}`]
    case 'widen column':
      return [`${alter} alter column ${columnName(change.column)} set data type ${writtenType(change.type)}`]
    case 'replace column':
      // The only VARIANT is of raw events: to replace it would lose what is there.
      throw new Error(`${table.name}.${change.column} cannot be replaced in Snowflake.`)
    case 'allow null':
      return [`${alter} alter column ${columnName(change.column)} drop not null`]
    case 'cluster':
      return [
        table.cluster.length > 0
          ? `${alter} cluster by (${table.cluster.join(', ')})`
          : `${alter} drop clustering key`,
      ]
  }
}
