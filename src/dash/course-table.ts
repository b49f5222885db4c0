import { changeSpan } from '../charts/change.ts'
import { ellipsis, fitLine, fitText, type Line, lineWidth, span, textWidth, widest } from '../charts/frame.ts'
import { valueText } from '../charts/number-text.ts'
import { trackSpans } from '../charts/progress.ts'
import { cellLabel, columnIndex, toValue, type Value } from '../charts/series.ts'
import type { Frame, Glyphs, Result, Row, Size, Span } from '../types.ts'

interface TableColumn {
  readonly name: string
  readonly heading: string
  readonly label: string
  readonly kind: 'number' | 'percent' | 'bar' | 'change'
  /** Narrow tables keep the lowest. */
  readonly rank: number
}

/** Numbers of the report `course-table`, in the order of the picture. */
function columnsOf(days: number): readonly TableColumn[] {
  return [
    { name: 'enrolled', heading: 'ENROLLED', label: 'Enrolled', kind: 'number', rank: 0 },
    { name: 'completed', heading: 'DONE', label: 'Completed', kind: 'number', rank: 5 },
    { name: 'completion_percent', heading: 'DONE%', label: 'Completion', kind: 'percent', rank: 1 },
    { name: 'mean_progress_percent', heading: 'PROGRESS', label: 'Mean progress', kind: 'bar', rank: 3 },
    {
      name: 'new_enrollments',
      heading: `NEW ${days}D`,
      label: `New in ${days} days`,
      kind: 'number',
      rank: 4,
    },
    { name: 'change_percent', heading: 'CHANGE', label: 'Change', kind: 'change', rank: 2 },
  ]
}

const BAR_CELLS = 10
const MARGIN = 2
const GAP = 2
const SHORTEST_TITLE = 20

interface DrawnColumn extends TableColumn {
  readonly cells: readonly Line[]
  readonly width: number
}

/**
 * Courses as rows, the title taking what the numbers leave; numbers that do not fit are left out, the least
 * important first. `size.height` includes the heading.
 */
export function courseTable(courses: Result, days: number, size: Size, glyphs: Glyphs): Frame {
  const rows = courses.rows.slice(0, Math.max(0, size.height - 1))
  const titles = rows.map((row) => courseTitle(courses, row))
  const columns = columnsThatFit(
    columnsOf(days).map((column) => drawColumn(column, courses, rows, glyphs)),
    size.width - MARGIN - Math.min(SHORTEST_TITLE, widest(titles)),
  )
  const taken = columns.reduce((sum, { width }) => sum + GAP + width, MARGIN)
  const titleWidth = Math.max(1, Math.min(Math.max(widest(titles), 'COURSE'.length), size.width - taken))
  const headings = columns.map(({ heading, kind, width }) =>
    fitText(heading, width, kind === 'bar' ? 'left' : 'right'),
  )
  const gap = span(' '.repeat(GAP))
  return [
    [gap, span([fitText('COURSE', titleWidth), ...headings].join(gap.text), 'muted')],
    ...titles.map(
      (title, row): Line => [
        gap,
        span(fitText(title, titleWidth, 'left', ellipsis(glyphs))),
        ...columns.flatMap(({ cells, kind, width }) => [gap, ...alignedCell(cells[row] ?? [], width, kind)]),
      ],
    ),
  ]
}

/** A course's numbers, one line each, below its title. */
export function courseCard(courses: Result, days: number, row: Row, size: Size, glyphs: Glyphs): Frame {
  const columns = columnsOf(days)
  const labelWidth = widest(columns.map(({ label }) => label))
  const bar = Math.min(20, size.width - labelWidth - 12)
  const title = fitText(courseTitle(courses, row), size.width - 2, 'left', ellipsis(glyphs)).trimEnd()
  const lines = columns.map((column): Line => {
    const value = toValue(row[columnIndex(courses, column.name)])
    const barred = (column.kind === 'percent' || column.kind === 'bar') && value !== null && bar >= 8
    return [
      span(` ${fitText(column.label, labelWidth)}  `, 'muted'),
      ...(barred ? [...trackSpans(value / 100, bar, glyphs), span(' ')] : []),
      numberSpan(value, column, glyphs),
    ]
  })
  return [[span(title, 'strong')], ...lines]
}

/** An inferred course has no title yet. */
function courseTitle(courses: Result, row: Row): string {
  const title = row[columnIndex(courses, 'course_title')]
  return cellLabel(title === null || title === '' ? row[columnIndex(courses, 'course_id')] : title)
}

function drawColumn(column: TableColumn, courses: Result, rows: readonly Row[], glyphs: Glyphs): DrawnColumn {
  const index = columnIndex(courses, column.name)
  const cells = rows.map((row): Line => {
    const value = toValue(row[index])
    if (column.kind === 'bar' && value !== null) return trackSpans(value / 100, BAR_CELLS, glyphs)
    return [numberSpan(value, column, glyphs)]
  })
  const width = cells.reduce((most, cell) => Math.max(most, lineWidth(cell)), textWidth(column.heading))
  return { ...column, cells, width }
}

function numberSpan(value: Value, { kind, name }: TableColumn, glyphs: Glyphs): Span {
  if (value === null) return span('-', 'muted')
  if (kind === 'change') return changeSpan(value, name, glyphs)
  return span(kind === 'number' ? valueText(value) : `${value.toFixed(1)}%`)
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

function alignedCell(line: Line, width: number, kind: TableColumn['kind']): Line {
  if (kind === 'bar') return fitLine(line, width)
  return fitLine([span(' '.repeat(Math.max(0, width - lineWidth(line)))), ...line], width)
}
