/** Tables: which rows are shown and in which order, rows beside each other as columns, one row alone. */

import { changeSpan } from '../charts/change.ts'
import { clipText, ellipsis, fitLine, fitText, type Line, lineWidth, span, widest } from '../charts/frame.ts'
import { valueText } from '../charts/number-text.ts'
import { trackSpans } from '../charts/progress.ts'
import { cellLabel, toValue } from '../charts/series.ts'
import { fold } from '../output/width.ts'
import { textWidth } from '../text-width.ts'
import type { Cell, Frame, Glyphs, Result, Row, Size } from '../types.ts'
import { cellOf, type TableColumn, type TablePart } from './page.ts'
import type { View } from './screen.ts'

// ── which rows ────────────────────────────────────────────────────────────────────────────────────────────

/** Rows after filter and sort. */
export function arrangeRows(part: TablePart, result: Result, { filter, sort }: View): readonly Row[] {
  const wanted = filter.text.toLowerCase()
  const kept =
    wanted === ''
      ? result.rows
      : result.rows.filter((row) => {
          const hasIt = cellTexts(part, result, row).some((text) => text.toLowerCase().includes(wanted))
          return hasIt !== filter.isInverted
        })
  const column = sort === undefined ? undefined : part.columns[sort.column]
  if (sort === undefined || column === undefined) return kept
  const index = result.columns.findIndex(({ name }) => name === column.name)
  const sign = sort.isDescending ? -1 : 1
  return kept.toSorted((a, b) => compareCells(a[index] ?? null, b[index] ?? null, sign))
}

const words = new Intl.Collator('en', { numeric: true })

/** Numbers by size, all else as words; what is not there comes last in both directions. */
function compareCells(a: Cell, b: Cell, sign: number): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null)
  const [left, right] = [Number(a), Number(b)]
  if (!Number.isNaN(left) && !Number.isNaN(right)) return sign * (left - right)
  return sign * words.compare(String(a), String(b))
}

/** A row's cells as text, in the order of the part's columns. */
export function cellTexts(part: TablePart, result: Result, row: Row): readonly string[] {
  return part.columns.map((column) => {
    const cell = cellOf(result, row, column.name)
    return cell === null ? '' : cellLabel(cell)
  })
}

// ── rows as lines ─────────────────────────────────────────────────────────────────────────────────────────

const BAR_CELLS = 10
const MARGIN = 2
const GAP = 2
const SHORTEST_TEXT = 20
/** Other texts than the first column's. */
const LONGEST_TEXT = 32

interface DrawnColumn extends TableColumn {
  readonly cells: readonly Line[]
  readonly width: number
}

export interface TableSize extends Size {
  /** Index of the chosen row among `rows`; none: -1. */
  readonly selected: number
}

/**
 * Rows as lines, the first column taking what the others leave; columns that do not fit are left out, the least
 * important first. `height` includes the heading, and a last line that says what is not shown.
 */
export function drawTable(
  part: TablePart,
  result: Result,
  rows: readonly Row[],
  { width, height, selected }: TableSize,
  view: View,
): Frame {
  const { glyphs } = view
  const room = Math.max(0, height - 1)
  const isWhole = rows.length <= room && view.filter.text === ''
  const count = isWhole ? rows.length : Math.max(1, room - 1)
  // The chosen row stays in the middle, except at both ends.
  const start = Math.max(0, Math.min(rows.length - count, selected - (count >> 1)))
  const shown = rows.slice(start, start + count)
  const [first, ...others] = part.columns as readonly [TableColumn, ...TableColumn[]]
  const texts = shown.map((row) => textOf(cellOf(result, row, first.name)))
  const drawn = others.map((column) =>
    drawColumn({ ...column, heading: headingOf(column, part, view) }, result, shown, view),
  )
  const head = headingOf(first, part, view)
  const columns = columnsThatFit(drawn, width - MARGIN - Math.min(SHORTEST_TEXT, widest([...texts, head])))
  const taken = columns.reduce((sum, column) => sum + GAP + column.width, MARGIN)
  const firstWidth = Math.max(1, Math.min(widest([...texts, head]), width - taken))
  const gap = span(' '.repeat(GAP))
  // Of tables beside the page's own no row can be chosen, nor are they sorted.
  const isOwn = selected >= 0
  const heading = (text: string, name: string) => {
    const index = part.columns.findIndex((column) => column.name === name)
    return isOwn ? span(text, 'muted', { kind: 'column', index }) : span(text, 'muted')
  }
  const headings = columns.flatMap((column) => [
    span(gap.text, 'muted'),
    heading(fitText(column.heading, column.width, isLeft(column) ? 'left' : 'right'), column.name),
  ])
  const lines = shown.map((row, index): Line => {
    const isSelected = start + index === selected
    const text = fitText(texts[index] ?? '', firstWidth, 'left', ellipsis(glyphs))
    const tone = first.tone?.(cellOf(result, row, first.name)) ?? 'plain'
    const line = [
      isSelected ? span(glyphs === 'ascii' ? '> ' : '› ', 'accent') : gap,
      span(text, isSelected ? 'strong' : tone),
      ...columns.flatMap((column) => [gap, ...alignedCell(column.cells[index] ?? [], column, glyphs)]),
    ]
    return isOwn ? line.map((one) => ({ ...one, click: { kind: 'row', index: start + index } })) : line
  })
  const range =
    rows.length === 0
      ? 'none'
      : `${start + 1}-${start + shown.length} of ${rows.length}`.replace('1-1 ', '1 ')
  const rest = `  ${range}${filterText(view)}: lpa query ${part.report}`
  return [
    [gap, heading(fitText(head, firstWidth), first.name), ...headings],
    ...lines,
    ...(isWhole ? [] : [[span(rest, 'muted')]]),
  ]
}

function filterText({ filter }: View): string {
  if (filter.text === '') return ''
  return ` ${filter.isInverted ? 'without' : 'with'} "${filter.text}"`
}

/** With an arrow when the rows are sorted by it. */
function headingOf(column: TableColumn, { columns }: TablePart, { sort, glyphs }: View): string {
  if (sort === undefined || columns[sort.column] !== column) return column.heading
  const [down, up] = glyphs === 'ascii' ? ['v', '^'] : ['▼', '▲']
  return `${column.heading} ${sort.isDescending ? down : up}`
}

function drawColumn(column: TableColumn, result: Result, rows: readonly Row[], view: View): DrawnColumn {
  const cells = rows.map((row) => cellLine(column, cellOf(result, row, column.name), BAR_CELLS, view.glyphs))
  const width = cells.reduce((most, cell) => Math.max(most, lineWidth(cell)), textWidth(column.heading))
  return {
    ...column,
    cells,
    width: column.kind === 'text' ? Math.min(width, column.most ?? LONGEST_TEXT) : width,
  }
}

function columnsThatFit(columns: readonly DrawnColumn[], width: number): readonly DrawnColumn[] {
  let room = width
  const kept = [...columns]
    .sort((a, b) => a.rank - b.rank)
    .filter((column) => {
      room -= GAP + column.width
      return room >= 0
    })
  return columns.filter((column) => kept.includes(column))
}

function isLeft({ kind }: TableColumn): boolean {
  return kind === 'bar' || kind === 'text'
}

function alignedCell(line: Line, column: DrawnColumn, glyphs: Glyphs): Line {
  const { width } = column
  if (column.kind === 'text') {
    const [only = span('')] = line
    return [{ ...only, text: fitText(only.text, width, 'left', ellipsis(glyphs)) }]
  }
  if (column.kind === 'bar') return fitLine(line, width)
  return fitLine([span(' '.repeat(Math.max(0, width - lineWidth(line)))), ...line], width)
}

/** A bar is `bar` cells long; with none it is a number. */
export function cellLine(column: TableColumn, cell: Cell, bar: number, glyphs: Glyphs): Line {
  const value = toValue(cell)
  if (cell === null) return [span('-', 'muted')]
  const tone = column.tone?.(cell) ?? 'plain'
  switch (column.kind) {
    case 'text':
      return [span(textOf(cell), tone)]
    case 'time':
      return [span(timeText(cell), tone)]
    case 'change':
      return [changeSpan(value, column.name, glyphs)]
    case 'number':
      return [span(value === null ? textOf(cell) : valueText(value), tone)]
    case 'percent':
      return [span(value === null ? textOf(cell) : `${value.toFixed(1)}%`, tone)]
    case 'bar':
      if (bar > 0 && value !== null) return trackSpans(value / 100, bar, glyphs)
      return [span(value === null ? textOf(cell) : `${value.toFixed(1)}%`, tone)]
  }
}

function textOf(cell: Cell): string {
  return cell === null ? '-' : cellLabel(cell)
}

/** An instant to the minute: `2026-03-04 08:13`. */
export function timeText(cell: Cell): string {
  return cell === null ? '-' : cellLabel(cell).slice(0, 16).replace('T', ' ')
}

// ── one row ───────────────────────────────────────────────────────────────────────────────────────────────

/** Of one long text. */
const MOST_LINES = 4

/** All that is known of a row, one line or more each, below what it is called. */
export function drawCard(part: TablePart, result: Result, row: Row, width: number, glyphs: Glyphs): Frame {
  const [first, ...columns] = part.columns as readonly [TableColumn, ...TableColumn[]]
  const labelWidth = Math.min(widest(columns.map(({ label }) => label)), Math.floor(width / 2))
  const bar = Math.min(20, width - labelWidth - 12)
  const room = Math.max(0, width - labelWidth - 3)
  const lines = columns.flatMap((column): Line[] => {
    const cell = cellOf(result, row, column.name)
    const value = toValue(cell)
    const isBarred = (column.kind === 'percent' || column.kind === 'bar') && value !== null && bar >= 8
    const [only = span('')] = cellLine(column, cell, 0, glyphs)
    const texts = room > 0 ? fold(only.text, room, MOST_LINES, ellipsis(glyphs)) : ['']
    return texts.map((text, index) => [
      span(` ${fitText(index === 0 ? column.label : '', labelWidth, 'left', ellipsis(glyphs))}  `, 'muted'),
      ...(isBarred ? [...trackSpans(value / 100, bar, glyphs), span(' ')] : []),
      { ...only, text },
    ])
  })
  const title = clipText(textOf(cellOf(result, row, first.name)), width - 2, ellipsis(glyphs))
  return [[span(title, 'strong')], ...lines]
}
