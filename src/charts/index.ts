/** The pictures of a result. A new kind is one file and one line in `CHARTS`. */

import { didYouMean } from '../did-you-mean.ts'
import { UserError } from '../errors.ts'
import { safeText } from '../safe-text.ts'
import type { Chart, ChartSpec, Frame, Glyphs, Result, Size } from '../types.ts'
import { bar } from './bar.ts'
import { count } from './count.ts'
import { clipFrame } from './frame.ts'
import { funnel } from './funnel.ts'
import { heat } from './heat.ts'
import { kpi } from './kpi.ts'
import { line } from './line.ts'
import { progress } from './progress.ts'
import { sparkline } from './sparkline.ts'

export { frameToText } from './frame.ts'
export { glyphsFor } from './glyphs.ts'

export const CHARTS: readonly Chart[] = [line, bar, count, sparkline, heat, funnel, progress, kpi]

export const chartKinds: readonly string[] = CHARTS.map(({ kind }) => kind)

/**
 * Draws a result: at most `size.height` lines of at most `size.width` cells, for any size and any values. A title is
 * the first line.
 * @throws UserError LPA-CHART-KIND for a kind there is none of, LPA-CHART-COLUMN for a column the result lacks.
 */
export function drawChart(result: Result, spec: ChartSpec, size: Size): Frame {
  const whole = { width: Math.max(0, Math.floor(size.width)), height: Math.max(0, Math.floor(size.height)) }
  const frame = chartOf(spec.kind).draw(result, spec, whole)
  return clipFrame(frame, whole)
}

/**
 * A report's `-- chart:` header as a spec: `line x=day y=enrollments,completions`.
 * @throws UserError LPA-CHART-KIND, LPA-CHART-HEADER.
 */
export function parseChartSpec(header: string, title: string, glyphs: Glyphs): ChartSpec {
  const [kind = '', ...options] = header.trim().split(/\s+/)
  chartOf(kind)
  const values = new Map(options.map((option) => option.split('=', 2) as [string, string | undefined]))
  const x = values.get('x')
  const y = values.get('y')?.split(',').filter(Boolean) ?? []
  if (!x || y.length === 0 || values.size !== 2) {
    throw new UserError('LPA-CHART-HEADER', `Cannot read the chart "${safeText(header)}".`, {
      exit: 'usage',
      next: 'Write a kind, x and y: line x=day y=enrollments,completions',
    })
  }
  return { kind, title, x, y, glyphs }
}

/**
 * The chart of a result that names none: numbers along a date as a line, else as bars. Undefined when the result has
 * no column of numbers beside its first one.
 */
export function guessChartSpec(result: Result, title: string, glyphs: Glyphs): ChartSpec | undefined {
  const isNumber = (type: string) => type === 'integer' || type === 'decimal' || type === 'double'
  const x = result.columns.find(({ type }) => !isNumber(type)) ?? result.columns[0]
  const y = result.columns.filter((column) => column !== x && isNumber(column.type)).map(({ name }) => name)
  if (x === undefined || y.length === 0) return undefined
  const dated = x.type === 'date' || x.type === 'timestamp'
  return { kind: dated ? 'line' : 'bar', title, x: x.name, y: y.slice(0, dated ? 4 : 1), glyphs }
}

function chartOf(kind: string): Chart {
  const chart = CHARTS.find((one) => one.kind === kind)
  if (chart !== undefined) return chart
  const near = didYouMean(kind, chartKinds)
  throw new UserError('LPA-CHART-KIND', `There is no chart "${safeText(kind)}".`, {
    exit: 'usage',
    next: `${near === undefined ? '' : `Did you mean ${near}? `}Kinds are: ${chartKinds.join(', ')}.`,
  })
}
