/** From the Arrow batches that Spark answers to the cells of a Result, and from named values to its literals. */

import type { MessageInitShape } from '@bufbuild/protobuf'
import { type Batch, type DataType, type Table, Type } from '@uwdata/flechette'
import { exactJson } from '../../output/json.ts'
import { sqlTokens } from '../../sql-tokens.ts'
import type { Cell, Column, ColumnType, Row, Values } from '../../types.ts'
import type { ExpressionSchema } from './protocol/expressions_pb.js'

export function columnsOf(table: Table): Column[] {
  return table.schema.fields.map(({ name, type }) => ({ name, type: columnType(type) }))
}

function columnType(type: DataType): ColumnType {
  switch (type.typeId) {
    case Type.Int:
      return 'integer'
    case Type.Decimal:
      return type.scale === 0 ? 'integer' : 'decimal'
    case Type.Float:
      return 'double'
    case Type.Bool:
      return 'boolean'
    case Type.Date:
      return 'date'
    case Type.Timestamp:
      return 'timestamp'
    case Type.List:
    case Type.Struct:
    case Type.Map:
      return 'json'
    default:
      return 'text'
  }
}

/** Of a table that was read with `EXACT`. */
export function rowsOf(table: Table): Row[] {
  const columns = table.schema.fields.map(({ type }, index) => cellsOf(table.getChildAt(index).data, type))
  return Array.from({ length: table.numRows }, (_, row) => columns.map((cells) => cells[row] ?? null))
}

/** How Arrow's values are to be read: none as a number that may not hold it. */
export const EXACT = { useBigInt: true, useDecimalInt: true } as const

function cellsOf(batches: readonly Batch<unknown>[], type: DataType): Cell[] {
  const convert = converter(type)
  return batches.flatMap((batch) => {
    // Read as instants, microseconds would be parts of a double.
    const raw = type.typeId === Type.Timestamp ? batch.values : undefined
    return Array.from({ length: batch.length }, (_, row) => {
      const value = batch.at(row)
      return value === null || value === undefined ? null : convert(raw ? raw[row] : value)
    })
  })
}

function converter(type: DataType): (value: unknown) => Cell {
  switch (type.typeId) {
    case Type.Int:
      return (value) => safeInteger(BigInt(value as bigint | number))
    case Type.Decimal:
      return type.scale === 0
        ? (value) => safeInteger(value as bigint)
        : (value) => decimalText(value as bigint, type.scale)
    case Type.Date:
      return (value) => new Date(Number(value)).toISOString().slice(0, 'YYYY-MM-DD'.length)
    case Type.Timestamp:
      return (value) => isoTimestamp(value as bigint)
    case Type.Float:
    case Type.Bool:
      return (value) => value as Cell
    case Type.Binary:
      return (value) =>
        Buffer.from(value as Uint8Array)
          .toString('hex')
          .toUpperCase()
    case Type.List:
    case Type.Struct:
    case Type.Map:
      return (value) => exactJson(plain(value))
    default:
      return String
  }
}

/** Lists come as typed arrays too. */
function plain(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value
  if (ArrayBuffer.isView(value) || Array.isArray(value))
    return Array.from(value as unknown as readonly unknown[], plain)
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]))
}

function safeInteger(value: bigint): number | bigint {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value
}

function decimalText(scaled: bigint, scale: number): string {
  const digits = String(scaled < 0n ? -scaled : scaled).padStart(scale + 1, '0')
  return `${scaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

/** Microseconds since 1970 as `2026-01-12T08:13:22.12Z`. */
function isoTimestamp(microseconds: bigint): string {
  const fraction = ((microseconds % 1_000_000n) + 1_000_000n) % 1_000_000n
  const seconds = Number((microseconds - fraction) / 1_000_000n)
  const text = new Date(seconds * 1000).toISOString().slice(0, -'.000Z'.length)
  const digits = String(fraction).padStart(6, '0').replace(/0+$/, '')
  return `${text}${digits === '' ? '' : `.${digits}`}Z`
}

/** A statement with `:name` in place of `$name`, which is how Spark names its parameters. */
export function withParameters(statement: string, values: Values): string {
  if (Object.keys(values).length === 0) return statement
  return sqlTokens(statement, 'spark')
    .map(({ kind, text }) =>
      kind === 'parameter' && Object.hasOwn(values, text.slice(1)) ? `:${text.slice(1)}` : text,
    )
    .join('')
}

export function literalsOf(values: Values): Record<string, MessageInitShape<typeof ExpressionSchema>> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      { exprType: { case: 'literal', value: { literalType: literalOf(value) } } },
    ]),
  )
}

function literalOf(value: Cell) {
  if (value === null) return { case: 'null', value: { kind: { case: 'null', value: {} } } } as const
  if (typeof value === 'string') return { case: 'string', value } as const
  if (typeof value === 'boolean') return { case: 'boolean', value } as const
  if (typeof value === 'bigint') return { case: 'long', value } as const
  if (!Number.isSafeInteger(value)) return { case: 'double', value } as const
  const isSmall = Math.abs(value) < 2 ** 31
  return isSmall ? ({ case: 'integer', value } as const) : ({ case: 'long', value: BigInt(value) } as const)
}
