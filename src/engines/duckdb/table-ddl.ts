/** DuckLake's statements for declared tables. DuckLake has no keys and no checks: NOT NULL and DEFAULT only. */

import { quoteName } from '../../duckdb.ts'
import type { TableChange, TableDeclaration } from '../../types.ts'

/** What JSON is kept as: quick to write and whole as JSON, or VARIANT. */
export interface JsonTypes {
  /** Payloads of raw events: `warehouse.payload`. */
  readonly payload?: 'json' | 'variant'
  /** Attributes of facts and dimensions: `warehouse.attributes`. */
  readonly attributes?: 'json' | 'variant'
}

/** A declared table with the types that are configured; JSON unless said. */
export function withJsonTypes(table: TableDeclaration, types: JsonTypes): TableDeclaration {
  const [column, type = 'json'] =
    table.name === 'raw.raw_learning_events'
      ? ['payload', types.payload]
      : table.name.startsWith('core.')
        ? ['attributes', types.attributes]
        : []
  if (!table.columns.some(({ name }) => name === column)) return table
  return {
    ...table,
    columns: table.columns.map((its) => (its.name === column ? { ...its, type } : its)),
    sql: table.sql.replace(new RegExp(`(?<=^ {2}${column} )(json|variant)`, 'm'), type),
  }
}

export function createTable(table: TableDeclaration): string[] {
  // `or replace`: the same statement makes a view and renews one whose declaration changed.
  if (table.kind === 'view') return [table.sql.replace(/^create view/, 'create or replace view')]
  const statements = [table.sql]
  if (table.cluster.length > 0) statements.push(...sortBy(table))
  if (table.partitionMonth) statements.push(...partitionBy(table))
  return statements
}

export function alterTable(table: TableDeclaration, change: TableChange): string[] {
  const alter = `alter table ${table.name}`
  switch (change.kind) {
    case 'add column':
      return [`${alter} add column ${quoteName(change.column)} ${change.type}`]
    case 'widen column':
      return [`${alter} alter column ${quoteName(change.column)} set data type ${change.type}`]
    case 'replace column':
      return replaceColumn(table, change.column, change.type)
    case 'allow null':
      return [`${alter} alter column ${quoteName(change.column)} drop not null`]
    case 'cluster':
      return [...sortBy(table), ...partitionBy(table)]
  }
}

/**
 * From VARIANT to JSON, or back. What a VARIANT has lost is in staging, so the next batch makes core anew; until then
 * JSON shows what the VARIANT held, while DuckLake can make no VARIANT of JSON: that column is empty.
 */
function replaceColumn({ name }: TableDeclaration, column: string, type: string): string[] {
  const alter = `alter table ${name}`
  const quoted = quoteName(column)
  return [
    ...(type === 'json'
      ? [`${alter} alter column ${quoted} set data type json`]
      : [`${alter} drop column ${quoted}`, `${alter} add column ${quoted} ${type}`]),
    ...(name.startsWith('core.') ? ['delete from meta.built_loads'] : []),
  ]
}

function sortBy({ name, cluster }: TableDeclaration): string[] {
  return [
    cluster.length > 0
      ? `alter table ${name} set sorted by (${cluster.map(quoteName).join(', ')})`
      : `alter table ${name} reset sorted by`,
  ]
}

function partitionBy({ name, partitionMonth }: TableDeclaration): string[] {
  if (!partitionMonth) return [`alter table ${name} reset partitioned by`]
  const column = quoteName(partitionMonth)
  return [`alter table ${name} set partitioned by (year(${column}), month(${column}))`]
}
