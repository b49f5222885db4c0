/** From DuckDB's values to the cells of a Result: integers and decimals exact, times as ISO 8601 in UTC. */

import type {
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBTimestampValue,
  DuckDBType,
  DuckDBValue,
} from '@duckdb/node-api'
import type { Cell, Column, ColumnType } from '../../types.ts'

type DuckDB = typeof import('@duckdb/node-api')

export function columnType(duckdb: DuckDB, type: DuckDBType): ColumnType {
  const id = duckdb.DuckDBTypeId
  if (type.alias === 'JSON') return 'json'
  switch (type.typeId) {
    case id.TINYINT:
    case id.SMALLINT:
    case id.INTEGER:
    case id.BIGINT:
    case id.UTINYINT:
    case id.USMALLINT:
    case id.UINTEGER:
    case id.UBIGINT:
    case id.HUGEINT:
    case id.UHUGEINT:
      return 'integer'
    case id.DECIMAL:
      return 'decimal'
    case id.FLOAT:
    case id.DOUBLE:
      return 'double'
    case id.BOOLEAN:
      return 'boolean'
    case id.DATE:
      return 'date'
    case id.TIMESTAMP:
    case id.TIMESTAMP_S:
    case id.TIMESTAMP_MS:
    case id.TIMESTAMP_NS:
    case id.TIMESTAMP_TZ:
      return 'timestamp'
    case id.LIST:
    case id.STRUCT:
    case id.MAP:
    case id.ARRAY:
    case id.VARIANT:
    case id.UNION:
      return 'json'
    default:
      return 'text'
  }
}

/** A function that turns one column's values into cells. */
export function cellConverter(
  duckdb: DuckDB,
  column: Column,
  type: DuckDBType,
): (value: DuckDBValue) => Cell {
  switch (column.type) {
    case 'integer':
      return (value) => (typeof value === 'bigint' ? safeInteger(value) : (value as Cell))
    case 'double':
    case 'boolean':
      return (value) => value as Cell
    case 'decimal':
      return (value) => (value === null ? null : (value as DuckDBDecimalValue).toString())
    case 'date':
      return (value) => (value === null ? null : (value as DuckDBDateValue).toString())
    case 'timestamp':
      return (value) => (value === null ? null : isoTimestamp(value as DuckDBTimestampValue))
    case 'json':
      return (value) => (value === null ? null : jsonText(duckdb, value, type))
    default:
      return (value) => (value === null || typeof value === 'string' ? value : String(value))
  }
}

/**
 * A value as JSON: what is in it prints as it would by itself, numbers as numbers with all their digits. Values inside a
 * VARIANT have no `type`; all but JSON, which is text to DuckDB, tell by themselves what they are.
 */
function jsonText(duckdb: DuckDB, value: DuckDBValue, type?: DuckDBType): string {
  if (value === null) return 'null'
  const text = (inner: DuckDBValue, innerType?: DuckDBType) => jsonText(duckdb, inner, innerType)
  if (typeof value === 'string') return type?.alias === 'JSON' ? value : JSON.stringify(value)
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : `"${value}"`
  if (typeof value !== 'object' || value instanceof duckdb.DuckDBDecimalValue) return String(value)
  if (value instanceof duckdb.DuckDBVariantValue) return text(value.value)
  if (value instanceof duckdb.DuckDBListValue || value instanceof duckdb.DuckDBArrayValue) {
    const inner = type && 'valueType' in type ? type.valueType : undefined
    return `[${value.items.map((item) => text(item, inner)).join(',')}]`
  }
  if (value instanceof duckdb.DuckDBStructValue) {
    const struct = type instanceof duckdb.DuckDBStructType ? type : undefined
    const members = Object.entries(value.entries).map(
      ([name, member]) => `${JSON.stringify(name)}:${text(member, struct?.typeForEntry(name))}`,
    )
    return `{${members.join(',')}}`
  }
  if (value instanceof duckdb.DuckDBMapValue) {
    const map = type instanceof duckdb.DuckDBMapType ? type : undefined
    const entries = value.entries.map(
      (entry) => `{"key":${text(entry.key, map?.keyType)},"value":${text(entry.value, map?.valueType)}}`,
    )
    return `[${entries.join(',')}]`
  }
  if (value instanceof duckdb.DuckDBUnionValue) {
    const union = type instanceof duckdb.DuckDBUnionType ? type : undefined
    const inner = union?.memberTypeForTag(value.tag)
    return `{"tag":${JSON.stringify(value.tag)},"value":${text(value.value, inner)}}`
  }
  return JSON.stringify(isoTimestamp(value))
}

function safeInteger(value: bigint): number | bigint {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value
}

/** `2026-01-12 08:13:22.12` or `… +00` becomes `2026-01-12T08:13:22.12Z`; infinities keep their names. */
function isoTimestamp(value: { toString(): string }): string {
  const text = value.toString()
  const match = /^(.+) (\d\d:\d\d:\d\d(?:\.\d+)?)(?:[+-]\d\d(?::\d\d)?)?$/.exec(text)
  return match ? `${match[1]}T${match[2]}Z` : text
}
