import type { Cell, Column, Result, ResultStream, Row } from '../types.ts'

/** A value as text, exact: no number loses a digit, NaN and infinities are named. Null is `undefined`. */
export function cellText(cell: Cell): string | undefined {
  return cell === null ? undefined : String(cell)
}

/** Columns whose values are written right-aligned and never cut. */
export function isNumeric(column: Column): boolean {
  return column.type === 'integer' || column.type === 'decimal' || column.type === 'double'
}

/** The rows in pieces, whether they are all there or still come. */
export async function* piecesOf(rows: Result | ResultStream): AsyncGenerator<readonly Row[]> {
  if ('chunks' in rows) {
    yield* rows.chunks
    return
  }
  // Pieces keep the text that is built at once small, and let signals in between.
  for (let start = 0; start < rows.rows.length; start += 1000) yield rows.rows.slice(start, start + 1000)
}

/** All rows of a stream: for what needs to see them all, such as a chart. */
export async function collect(rows: Result | ResultStream): Promise<Result> {
  if (!('chunks' in rows)) return rows
  const all: Row[] = []
  for await (const piece of rows.chunks) for (const row of piece) all.push(row)
  return { columns: rows.columns, rows: all }
}
