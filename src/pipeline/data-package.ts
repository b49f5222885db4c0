/** `datapackage.json`: what files of tables are, for other tools (Frictionless Data Package 2.0). */

import { referenceOf } from '../ddl.ts'
import type { Column, ColumnType, TableDeclaration } from '../types.ts'

export const PACKAGE_FILE = 'datapackage.json'
export const PACKAGE_NAME = 'lpa-core'
const PROFILE = 'https://datapackage.org/profiles/2.0/datapackage.json'

export type FileFormat = 'parquet' | 'csv'

const MEDIA_TYPES: Readonly<Record<FileFormat, string>> = {
  parquet: 'application/vnd.apache.parquet',
  csv: 'text/csv',
}

const FIELD_TYPES: Readonly<Record<ColumnType, string>> = {
  text: 'string',
  integer: 'integer',
  decimal: 'number',
  double: 'number',
  boolean: 'boolean',
  date: 'date',
  timestamp: 'datetime',
  json: 'object',
}

/** A table as it was written to a file. */
export interface WrittenTable {
  readonly declared: TableDeclaration
  readonly columns: readonly Column[]
  readonly file: string
  readonly rows: number
  readonly bytes: number
  readonly sha256: string
}

export interface PackageFacts {
  readonly format: FileFormat
  /** ISO 8601 */
  readonly created: string
  /** The state of the warehouse. */
  readonly version: string
  /** The role that sees this; none: the owner, who sees all. */
  readonly role?: string | undefined
}

/** The name that a table has as a file and in the package: `fact_enrollment` of `core.fact_enrollment`. */
export const plainName = (table: string) => table.slice(table.indexOf('.') + 1)

export function dataPackage(
  tables: readonly WrittenTable[],
  { format, created, version, role }: PackageFacts,
): object {
  const there = new Set(tables.map(({ declared }) => declared.name))
  return {
    $schema: PROFILE,
    name: PACKAGE_NAME,
    title: 'Dimensions and facts of a learning-platform warehouse',
    description: describe(role),
    created,
    version,
    resources: tables.map((table) => ({
      name: plainName(table.declared.name),
      type: 'table',
      path: table.file,
      ...(table.declared.grain !== undefined && { description: `A row is ${table.declared.grain}` }),
      format,
      mediatype: MEDIA_TYPES[format],
      ...(format === 'csv' && { encoding: 'utf-8' }),
      bytes: table.bytes,
      hash: `sha256:${table.sha256}`,
      rows: table.rows,
      schema: {
        fields: table.columns.map((column) => field(column, role === undefined ? table.declared : undefined)),
        // Masks and rows that a role does not see may break them.
        ...(role === undefined && keys(table.declared, table.columns, there)),
      },
    })),
  }
}

function describe(role: string | undefined): string {
  const seen = role === undefined ? '' : ` It is what the role ${role} may see.`
  return `Learners are pseudonyms. Instants are UTC. Key 0 of a dimension is "none".${seen}`
}

function field({ name, type }: Column, declared: TableDeclaration | undefined): object {
  const isRequired = declared?.columns.some((column) => column.name === name && column.required)
  return { name, type: FIELD_TYPES[type], ...(isRequired && { constraints: { required: true } }) }
}

function keys(
  { name, key }: TableDeclaration,
  columns: readonly Column[],
  there: ReadonlySet<string>,
): object {
  const foreignKeys = columns.flatMap((column) => {
    const to = referenceOf(name, column.name, { toViews: true })
    if (to === undefined || !there.has(to.table)) return []
    return { fields: [column.name], reference: { resource: plainName(to.table), fields: [to.column] } }
  })
  return { ...(key.length > 0 && { primaryKey: key }), ...(foreignKeys.length > 0 && { foreignKeys }) }
}
