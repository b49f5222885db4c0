/** DuckLake's statements for declared tables. DuckLake has no keys and no checks: NOT NULL and DEFAULT only. */

import { quoteName } from '../../duckdb.ts'
import type { TableChange, TableDeclaration } from '../../types.ts'

/** Payloads are JSON as declared, quick to write, or VARIANT: `warehouse.payload`. */
export function withPayload(table: TableDeclaration, payload: 'json' | 'variant' = 'json'): TableDeclaration {
  if (payload === 'json' || table.name !== 'raw.raw_learning_events') return table
  return {
    ...table,
    columns: table.columns.map((column) =>
      column.name === 'payload' ? { ...column, type: payload } : column,
    ),
    sql: table.sql.replace('payload json', `payload ${payload}`),
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
    case 'allow null':
      return [`${alter} alter column ${quoteName(change.column)} drop not null`]
    case 'cluster':
      return [...sortBy(table), ...partitionBy(table)]
  }
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
