/** The Overview screen as one picture: KPIs, enrollments and completions, courses. */

import { beside, boxed, clipFrame, clipText, type Line, lineWidth, span } from '../charts/frame.ts'
import { drawChart, frameToText, glyphsFor } from '../charts/index.ts'
import { columnIndex, columnLabel, dayText, sentence, toValue } from '../charts/series.ts'
import type { Terminal } from '../output.ts'
import type { Frame, Glyphs, Size } from '../types.ts'
import { courseCard, courseTable } from './course-table.ts'
import { kpiLines, kpiTiles } from './kpis.ts'
import { isEmpty, type OverviewData } from './overview.ts'

export interface OnceOptions {
  /** Cells; the picture may be lower than `size.height`. */
  readonly size: Size
  readonly glyphs: Glyphs
  readonly color: boolean
}

/** What a picture is drawn for: this terminal with a line left for the prompt, else 80 × 24 or `COLUMNS` × `LINES`. */
export function onceOptions(
  terminal: Terminal,
  env: Readonly<Record<string, string | undefined>>,
): OnceOptions {
  const lines = Number(env.LINES)
  const height = terminal.isTerminal ? terminal.height - 1 : lines > 0 ? lines : 24
  const width = Number.isFinite(terminal.width) ? terminal.width : 80
  return { size: { width, height }, glyphs: glyphsFor(env, terminal.isTerminal), color: terminal.color }
}

/** The picture as terminal text without a line end after its last line. */
export function renderOnce(data: OverviewData, { size, glyphs, color }: OnceOptions): string {
  return frameToText(drawOnce(data, size, glyphs), { color })
}

// Below these sizes: KPIs and sparklines only; one line saying so.
const FULL: Size = { width: 60, height: 15 }
const SMALL: Size = { width: 40, height: 10 }
// From here there is room for sparklines in the KPIs and a course beside the table.
const WIDE: Size = { width: 110, height: 30 }

function drawOnce(data: OverviewData, size: Size, glyphs: Glyphs): Frame {
  return clipFrame(pictureFor(data, size, glyphs), size)
}

function pictureFor(data: OverviewData, size: Size, glyphs: Glyphs): Frame {
  if (lessThan(size, SMALL)) return [[span(tooSmall(size), 'warn')]]
  const header = headerLine(data, size.width)
  if (isEmpty(data)) return [header, [], ...emptyState()]
  if (lessThan(size, FULL)) return [header, ...kpiLines(data, { width: size.width, glyphs })]
  const wide = !lessThan(size, WIDE)
  const top = [
    header,
    ...(wide ? [[]] : []),
    ...kpiTiles(data, { width: size.width, glyphs, sparks: wide }),
    ...(wide ? [[]] : []),
    ...charts(data, { width: size.width, height: chartHeight(size) }, glyphs),
  ]
  return [...top, ...coursesPart(data, { width: size.width, height: size.height - top.length }, glyphs, wide)]
}

function lessThan(size: Size, least: Size): boolean {
  return size.width < least.width || size.height < least.height
}

function tooSmall({ width, height }: Size): string {
  const text = `The window is ${width}x${height}: too small for a picture, 40x10 is the least.`
  return text.length <= width ? text : clipText(`Too small: ${width}x${height}, needs 40x10`, width)
}

/** The screen's name, and at the right the days that its figures are of. */
function headerLine({ daily, days }: OverviewData, width: number): Line {
  const left: Line = [span('  '), span('lpa', 'accent'), span('  '), span('Overview', 'strong')]
  const day = daily.columns.findIndex(({ name }) => name === 'day')
  const newest = Date.parse(String(daily.rows.at(-1)?.[day]))
  if (Number.isNaN(newest)) return left
  const period = `${days} days to ${dayText(newest)}`
  for (const text of [`${period}, against the ${days} before`, period]) {
    const gap = width - lineWidth(left) - text.length - 1
    if (gap >= 2) return [...left, span(' '.repeat(gap)), span(text, 'muted')]
  }
  return left
}

function emptyState(): Frame {
  return [
    [span('  '), span('The warehouse has no facts yet.', 'strong')],
    [],
    [span('  lpa load FILE     '), span('loads your exports', 'muted')],
    [span('  lpa batch         '), span('builds the facts from them', 'muted')],
    [span('  lpa up --sample   '), span('does all that for a sample campus', 'muted')],
  ]
}

function chartHeight({ height }: Size): number {
  return Math.max(7, Math.min(16, Math.round(height * 0.38)))
}

/** Enrollments and completions; where there are none, as in logs of events alone, what there is instead. */
function chartColumns({ daily }: OverviewData): readonly string[] {
  const columns = ['enrollments', 'completions', 'active_learners', 'events']
  const some = columns.filter((name) => {
    const index = columnIndex(daily, name)
    return daily.rows.some((row) => (toValue(row[index]) ?? 0) > 0)
  })
  return [...some, ...columns.filter((name) => !some.includes(name))]
}

function charts(data: OverviewData, size: Size, glyphs: Glyphs): Frame {
  const [first = '', second = ''] = chartColumns(data)
  const half = Math.floor(size.width / 2)
  return beside([
    { frame: dayChart(data, first, { ...size, width: half }, glyphs), width: half },
    {
      frame: dayChart(data, second, { ...size, width: size.width - half }, glyphs),
      width: size.width - half,
    },
  ])
}

/** A column of the daily report in a box, its title in the edge. */
function dayChart({ daily }: OverviewData, y: string, size: Size, glyphs: Glyphs): Frame {
  const title = `${sentence(columnLabel(y))}/day`
  const spec = { kind: 'line', title, x: 'day', y: [y], glyphs }
  return boxed(drawChart(daily, spec, { width: size.width - 2, height: size.height - 1 }), size, glyphs)
}

/** The course table; on a wide picture beside its first course and a third chart. */
function coursesPart(data: OverviewData, size: Size, glyphs: Glyphs, wide: boolean): Frame {
  const { courses, days } = data
  const first = courses.rows[0]
  if (first === undefined) return [[span('  No course has enrollments yet.', 'muted')]]
  const rows = Math.max(1, courses.rows.length <= size.height - 1 ? courses.rows.length : size.height - 2)
  const left = courses.rows.length - rows
  const more = left > 0 ? [[span(`  ${left} more: lpa query course-table`, 'muted')]] : []
  const tableOf = (width: number) => [
    ...courseTable(courses, days, { width, height: rows + 1 }, glyphs),
    ...more,
  ]
  if (!wide) return tableOf(size.width)
  const table = tableOf(Math.floor(size.width * 0.64))
  // The boxes take what the table leaves, two blanks after it.
  const tableWidth = Math.max(...table.map(lineWidth)) + 2
  const sideWidth = size.width - tableWidth
  const card = courseCard(courses, days, first, { width: sideWidth - 2, height: size.height }, glyphs)
  const cardHeight = Math.min(card.length + 1, size.height)
  const chartHeight = Math.min(12, size.height - cardHeight)
  const third = chartColumns(data)[2] ?? ''
  return beside([
    { frame: table, width: tableWidth },
    {
      frame: [
        ...boxed(card, { width: sideWidth, height: cardHeight }, glyphs),
        ...(chartHeight >= 6 ? dayChart(data, third, { width: sideWidth, height: chartHeight }, glyphs) : []),
      ],
      width: sideWidth,
    },
  ])
}
