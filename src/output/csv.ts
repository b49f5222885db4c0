import { safeLines } from '../safe-text.ts'
import type { Column, Row } from '../types.ts'
import { cellText } from './cells.ts'

/** What spreadsheets run as a formula when a text starts with it, also in full width and after a tab. */
const FORMULA = /^[=+\-@\t\r＝＋－＠]/

/** How texts of data are written: numbers, dates and truth values never need any of it. */
export interface CsvOptions {
  /** Put `'` before texts that a spreadsheet would run. */
  readonly escapeFormulas: boolean
  /** Show control and bidirectional characters as escapes. */
  readonly safe: boolean
}

type WriteCsv = (rows: readonly Row[]) => string

/** Answers the header line and a function that writes rows. Line ends are LF; null is empty, empty text is `""`. */
export async function csvWriter(
  columns: readonly Column[],
  options: CsvOptions,
): Promise<{ head: string; rows: WriteCsv }> {
  const { stringify } = await import('csv-stringify/sync')
  const isText = columns.map(({ type }) => type === 'text' || type === 'json')
  const text = (value: string): string => {
    const shown = options.safe ? safeLines(value) : value
    return options.escapeFormulas && FORMULA.test(value) ? `'${shown}` : shown
  }
  // A single null column would be a blank line, which readers skip.
  const nothing = columns.length === 1 ? '' : null
  const layout = {
    cast: { string: (value: string) => (value === '' ? { value, quoted_empty: true } : value) },
  }
  return {
    head: stringify([columns.map(({ name }) => text(name))], layout),
    rows: (rows) =>
      stringify(
        rows.map((row) =>
          row.map((cell, index) => {
            const value = cellText(cell)
            if (value === undefined) return nothing
            return isText[index] ? text(value) : value
          }),
        ),
        layout,
      ),
  }
}
