import { safeText } from '../safe-text.ts'
import type { Column, Result, ResultStream, Row } from '../types.ts'
import { cellText, isNumeric, piecesOf } from './cells.ts'
import type { Terminal } from './terminal.ts'
import { cut, type Measure, measureFor } from './width.ts'

/** Text columns are cut no shorter than this; then the rows are shown as records instead. */
const NARROWEST = 6

/** Rows that cli-table3 gets at once. */
const FEW = 50

interface Grid {
  readonly heads: readonly string[]
  readonly cells: readonly (readonly string[])[]
  readonly measure: Measure
}

/**
 * The rows as a table of the terminal's width: text columns shrink, the widest first, numbers are never cut.
 * Where even that does not fit, each row becomes a block of `column  value` lines.
 * Yields text in pieces, so that a long result is printed as it comes: columns may widen on the way.
 */
export async function* tableText(rows: Result | ResultStream, terminal: Terminal): AsyncGenerator<string> {
  const { columns } = rows
  let widths: number[] | undefined
  let records = false
  let printed = 0
  let last = ''
  for await (const piece of atLeastOne(piecesOf(rows))) {
    const grid = await gridOf(columns, piece, terminal)
    if (widths === undefined) {
      const fitted = fitWidths(columns, grid, terminal.width)
      records = fitted === undefined
      widths = fitted ?? []
    } else if (!records) {
      widths = widen(widths, columns, grid)
    }
    if (records) {
      yield recordsText(grid, terminal, printed)
    } else {
      const lines = await boxed(columns, grid, widths, terminal)
      last = lines.at(-1) ?? ''
      // Head and top line come once; the bottom line after the last piece.
      yield `${lines.slice(printed === 0 ? 0 : 3, -1).join('\n')}\n`
    }
    printed += piece.length
  }
  if (!records) yield `${last}\n`
}

async function* atLeastOne(pieces: AsyncIterable<readonly Row[]>): AsyncGenerator<readonly Row[]> {
  let some = false
  for await (const piece of pieces) {
    if (piece.length === 0) continue
    some = true
    yield piece
  }
  if (!some) yield []
}

async function gridOf(columns: readonly Column[], rows: readonly Row[], terminal: Terminal): Promise<Grid> {
  const none = terminal.unicode ? '–' : '-'
  const heads = columns.map(({ name }) => safeText(name))
  const cells = rows.map((row) => row.map((cell) => safeText(cellText(cell) ?? none)))
  return { heads, cells, measure: await measureFor([heads, ...cells].flat()) }
}

/** Widths of the columns, without padding; undefined when they cannot fit. */
function fitWidths(columns: readonly Column[], grid: Grid, width: number): number[] | undefined {
  const natural = naturalWidths(columns, grid)
  const room = width - 3 * columns.length - 1
  const least = natural.map((wide, index) =>
    isNumeric(columns[index] as Column) ? wide : Math.min(wide, NARROWEST),
  )
  if (sum(least) > room) return undefined
  const widths = [...natural]
  for (let excess = sum(widths) - room; excess > 0; excess--) {
    let widest = -1
    for (const [index, wide] of widths.entries()) {
      const shrinks = wide > (least[index] ?? 0)
      if (shrinks && (widest < 0 || wide > (widths[widest] ?? 0))) widest = index
    }
    widths[widest] = (widths[widest] ?? 0) - 1
  }
  return widths
}

function naturalWidths(columns: readonly Column[], grid: Grid): number[] {
  return columns.map((_, index) =>
    Math.max(
      grid.measure(grid.heads[index] ?? ''),
      ...grid.cells.map((row) => grid.measure(row[index] ?? '')),
    ),
  )
}

/** A later piece keeps the widths of the first, but for numbers that need more. */
function widen(widths: readonly number[], columns: readonly Column[], grid: Grid): number[] {
  const natural = naturalWidths(columns, grid)
  return widths.map((width, index) =>
    isNumeric(columns[index] as Column) ? Math.max(width, natural[index] ?? 0) : width,
  )
}

/** The lines of a boxed table: three of its head, one a row, one of its foot. */
async function boxed(
  columns: readonly Column[],
  grid: Grid,
  widths: readonly number[],
  terminal: Terminal,
): Promise<string[]> {
  const { default: Table } = await import('cli-table3')
  const mark = terminal.unicode ? '…' : '~'
  // cli-table3 measures with an older string-width, so it gets private-use characters, one cell each, in place
  // of texts that are not plain ASCII; they are put back afterwards, in the order they went in.
  const held: string[] = []
  const hold = (text: string, index: number): string => {
    const fitted = cut(text, widths[index] ?? 0, mark, grid.measure)
    if (/^[\x20-\x7e]*$/.test(fitted)) return fitted
    held.push(fitted)
    return `\ue000${'\ue001'.repeat(Math.max(0, grid.measure(fitted) - 1))}`
  }
  const tableOf = (cells: Grid['cells']): string[] => {
    const head = grid.heads.map((text, index) => {
      const name = hold(text, index)
      return terminal.color ? `\x1b[1m${name}\x1b[22m` : name
    })
    const table = new Table({
      head,
      colWidths: widths.map((width) => width + 2),
      colAligns: columns.map((column) => (isNumeric(column) ? 'right' : 'left')),
      style: { head: [], border: [], compact: true },
      ...(!terminal.unicode && { chars: ASCII_BORDER }),
    })
    table.push(...cells.map((row) => row.map(hold)))
    const text = table.toString().replace(/\ue000\ue001*/g, () => held.shift() ?? '')
    return text.split('\n')
  }
  // Its time grows with the square of the rows, so it gets few at a time.
  const lines = tableOf(grid.cells.slice(0, FEW))
  for (let start = FEW; start < grid.cells.length; start += FEW) {
    lines.splice(-1, 1, ...tableOf(grid.cells.slice(start, start + FEW)).slice(3))
  }
  return lines
}

const ASCII_BORDER = {
  top: '-',
  'top-mid': '+',
  'top-left': '+',
  'top-right': '+',
  bottom: '-',
  'bottom-mid': '+',
  'bottom-left': '+',
  'bottom-right': '+',
  left: '|',
  'left-mid': '+',
  mid: '-',
  'mid-mid': '+',
  right: '|',
  'right-mid': '+',
  middle: '|',
}

function recordsText(grid: Grid, terminal: Terminal, printed: number): string {
  const mark = terminal.unicode ? '…' : '~'
  const rule = (terminal.unicode ? '─' : '-').repeat(2)
  const nameWidth = Math.max(0, ...grid.heads.map(grid.measure))
  return grid.cells
    .map((row, number) => {
      const lines = grid.heads.map((head, index) => {
        const name = head + ' '.repeat(nameWidth - grid.measure(head))
        return cut(`${name}  ${row[index] ?? ''}`, terminal.width, mark, grid.measure)
      })
      return `${rule} ${printed + number + 1} ${rule}\n${lines.join('\n')}\n`
    })
    .join('')
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
