import { safeText } from '../safe-text.ts'
import { textWidth } from '../text-width.ts'
import type { Column, Result, ResultStream, Row } from '../types.ts'
import { cellText, isNumeric, piecesOf } from './cells.ts'
import type { Terminal } from './terminal.ts'
import { cut, fold } from './width.ts'

/** Text columns become no narrower than this; then the rows are shown as records instead. */
const NARROWEST = 8

/** Cells of a day, alone or before a time: `2026-01-12T`. */
const DAY: Readonly<Record<string, number>> = { date: 10, timestamp: 11 }

/** Lines of a cell; what does not fit in them is cut. */
const MOST_LINES = 3

/** Rows that cli-table3 gets at once: its time grows with the square of them. */
const FEW = 50

const PLAIN = /^[\x20-\x7e]*$/

interface Grid {
  readonly columns: readonly Column[]
  readonly heads: readonly string[]
  readonly cells: readonly (readonly string[])[]
}

/** How columns are set apart: in a box, or by blanks alone, which leaves more room to their texts. */
interface Ruling {
  readonly isBoxed: boolean
  /** Cells between two columns, and those at both ends. */
  readonly gap: number
  readonly ends: number
}

const BOXED: Ruling = { isBoxed: true, gap: 3, ends: 4 }
const OPEN: readonly Ruling[] = [
  { isBoxed: false, gap: 2, ends: 0 },
  { isBoxed: false, gap: 1, ends: 0 },
]

interface Layout {
  readonly ruling: Ruling
  /** Of the columns, without padding. */
  readonly widths: readonly number[]
}

/**
 * The rows as a table of the terminal's width: boxed where every value fits whole, else without lines. Then columns
 * shrink, the widest first, and their texts go on in the next line; numbers are never broken. Where even that does not
 * fit, each row becomes a block of `column  value` lines.
 * Yields text in pieces, so that a long result is printed as it comes: columns may widen on the way.
 */
export async function* tableText(rows: Result | ResultStream, terminal: Terminal): AsyncGenerator<string> {
  let layout: Layout | undefined
  let printed = 0
  let foot = ''
  for await (const piece of atLeastOne(piecesOf(rows))) {
    const grid = gridOf(rows.columns, piece, terminal)
    if (printed === 0) {
      layout = layOut(grid, terminal.width)
    } else if (layout) {
      layout = { ...layout, widths: widen(layout.widths, grid) }
    }
    if (layout === undefined) {
      yield recordsText(grid, terminal, printed)
    } else {
      const table = await tabular(grid, layout, terminal)
      // The head comes once, the foot after the last piece.
      yield printed === 0 ? table.head + table.body : table.body
      foot = table.foot
    }
    printed += piece.length
  }
  yield foot
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

function gridOf(columns: readonly Column[], rows: readonly Row[], terminal: Terminal): Grid {
  const none = terminal.unicode ? '–' : '-'
  const heads = columns.map(({ name }) => safeText(name))
  const cells = rows.map((row) => row.map((cell) => safeText(cellText(cell) ?? none)))
  return { columns, heads, cells }
}

// ── widths ────────────────────────────────────────────────────────────────────────────────────────────────

function layOut(grid: Grid, width: number): Layout | undefined {
  const values = valueWidths(grid)
  const room = (ruling: Ruling) => width - ruling.gap * (grid.columns.length - 1) - ruling.ends
  const boxed = fitWidths(grid, room(BOXED))
  // Heads may be folded in a box, values not.
  if (boxed?.every((fitted, index) => fitted >= (values[index] ?? 0))) return { ruling: BOXED, widths: boxed }
  for (const ruling of OPEN) {
    const widths = fitWidths(grid, room(ruling))
    if (widths) return { ruling, widths }
  }
  return undefined
}

/** Widths of the columns, so that they fit into so many cells; undefined when they cannot. */
function fitWidths(grid: Grid, room: number): number[] | undefined {
  const values = valueWidths(grid)
  const widths = grid.heads.map((head, index) => Math.max(textWidth(head), values[index] ?? 0))
  const least = grid.columns.map((column, index) => {
    const whole = widths[index] ?? 0
    // Numbers and days are not broken, nor are short heads.
    const value = isNumeric(column) ? (values[index] ?? 0) : Math.min(whole, DAY[column.type] ?? 0)
    const head = grid.heads[index] ?? ''
    if (textWidth(head) <= NARROWEST || !isNumeric(column)) {
      return Math.max(Math.min(whole, NARROWEST), value)
    }
    // A head is broken between its words: completion_ / percent.
    const words = head.match(/[^_ ]+[_ ]?/g) ?? []
    return Math.max(value, ...words.map(textWidth))
  })
  if (sum(least) > room) return undefined
  // Heads over numbers first, since breaking them loses nothing; then everything, the widest first.
  const numeric = widths.map((_, index) => isNumeric(grid.columns[index] as Column))
  for (let excess = sum(widths) - room; excess > 0; excess--) {
    const shrinks = widths.map((wide, index) => wide > (least[index] ?? 0))
    const heads = shrinks.map((can, index) => can && numeric[index] === true)
    const among = heads.includes(true) ? heads : shrinks
    const widest = widths.reduce(
      (best, wide, index) => (among[index] && wide > (widths[best] ?? 0) ? index : best),
      -1,
    )
    widths[widest] = (widths[widest] ?? 0) - 1
  }
  return widths
}

function valueWidths(grid: Grid): number[] {
  return grid.columns.map((_, index) => Math.max(0, ...grid.cells.map((row) => textWidth(row[index] ?? ''))))
}

/** A later piece keeps the widths of the first, but for numbers that need more. */
function widen(widths: readonly number[], grid: Grid): number[] {
  const values = valueWidths(grid)
  return widths.map((width, index) =>
    isNumeric(grid.columns[index] as Column) ? Math.max(width, values[index] ?? 0) : width,
  )
}

// ── the two forms ─────────────────────────────────────────────────────────────────────────────────────────

async function tabular(
  grid: Grid,
  { ruling, widths }: Layout,
  terminal: Terminal,
): Promise<{ head: string; body: string; foot: string }> {
  const { default: Table } = await import('cli-table3')
  const mark = terminal.unicode ? '…' : '~'
  const folded = (row: readonly string[]) =>
    row.map((text, index) => fold(text, widths[index] ?? 0, MOST_LINES, mark))
  const head = folded(grid.heads)
  const padding = ruling.isBoxed ? 1 : 0
  const options = {
    colWidths: widths.map((width) => width + 2 * padding),
    colAligns: grid.columns.map((column) => (isNumeric(column) ? ('right' as const) : ('left' as const))),
    style: { head: [], border: [], compact: true, 'padding-left': padding, 'padding-right': padding },
    ...(!terminal.unicode && { chars: ASCII_BORDER }),
    ...(!ruling.isBoxed && { chars: openBorder(terminal, ' '.repeat(ruling.gap)) }),
  }
  const headHeight = Math.max(1, ...head.map((lines) => lines.length))
  const body: string[] = []
  let edges: { head: string[]; foot: string[] } | undefined
  for (let start = 0; start === 0 || start < grid.cells.length; start += FEW) {
    const rows = grid.cells.slice(start, start + FEW).map(folded)
    const stood = standIns([head, ...rows])
    const [headTexts = [], ...texts] = stood.texts
    const table = new Table({
      ...options,
      head: headTexts.map((text) => (terminal.color ? bold(text) : text)),
    })
    table.push(...texts)
    const lines = stood.restore(table.toString()).split('\n')
    // Without rows there is no line between head and foot; without a box none above and below.
    const edge = ruling.isBoxed ? 1 : 0
    const above = edge + headHeight + (rows.length > 0 ? 1 : 0)
    const below = lines.length - edge
    edges ??= { head: lines.slice(0, above), foot: lines.slice(below) }
    body.push(...lines.slice(above, below))
  }
  const text = (lines: readonly string[]) => lines.map((line) => `${line.trimEnd()}\n`).join('')
  return { head: text(edges?.head ?? []), body: text(body), foot: text(edges?.foot ?? []) }
}

/**
 * cli-table3 measures with an older string-width, so it gets private-use characters, one cell each, in place of lines
 * that are not plain ASCII; they are put back afterwards, in the order in which a table prints them.
 */
function standIns(rows: readonly (readonly (readonly string[])[])[]) {
  const held: string[] = []
  for (const row of rows) {
    const height = Math.max(0, ...row.map((lines) => lines.length))
    for (let line = 0; line < height; line++) {
      for (const lines of row) {
        const text = lines[line]
        if (text !== undefined && !PLAIN.test(text)) held.push(text)
      }
    }
  }
  const standIn = (text: string) =>
    PLAIN.test(text) ? text : `\ue000${'\ue001'.repeat(Math.max(0, textWidth(text) - 1))}`
  return {
    texts: rows.map((row) => row.map((lines) => lines.map(standIn).join('\n'))),
    restore: (table: string) => table.replace(/\ue000\ue001*/g, () => held.shift() ?? ''),
  }
}

function bold(text: string): string {
  return text
    .split('\n')
    .map((line) => `\x1b[1m${line}\x1b[22m`)
    .join('\n')
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

/** One line under the head, blanks between the columns. */
function openBorder(terminal: Terminal, gap: string): Record<string, string> {
  const rule = terminal.unicode ? '─' : '-'
  const none = [
    'top',
    'top-mid',
    'top-left',
    'top-right',
    'bottom',
    'bottom-mid',
    'bottom-left',
    'bottom-right',
  ]
  const chars = Object.fromEntries(
    [...none, 'left', 'left-mid', 'right', 'right-mid'].map((name) => [name, '']),
  )
  return { ...chars, mid: rule, 'mid-mid': gap, middle: gap }
}

function recordsText(grid: Grid, terminal: Terminal, printed: number): string {
  const mark = terminal.unicode ? '…' : '~'
  const rule = (terminal.unicode ? '─' : '-').repeat(2)
  const nameWidth = Math.max(0, ...grid.heads.map(textWidth))
  return grid.cells
    .map((row, number) => {
      const lines = grid.heads.map((head, index) => {
        const name = head + ' '.repeat(nameWidth - textWidth(head))
        return cut(`${name}  ${row[index] ?? ''}`, terminal.width, mark)
      })
      return `${rule} ${printed + number + 1} ${rule}\n${lines.join('\n')}\n`
    })
    .join('')
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
