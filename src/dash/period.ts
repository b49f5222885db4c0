/** The time range of a view: the newest days of a report by day, beside as many before them. */

import { valueText } from '../charts/number-text.ts'
import { columnLabel, dayText, sentence, toValue, type Value } from '../charts/series.ts'
import type { ChartSpec, Result } from '../types.ts'
import { type ChartPart, cellOf, type Empty, type Figure, resultsOf } from './page.ts'
import type { Panels, View } from './screen.ts'

/** The newest day among the reports by day, in milliseconds; undefined before there is one. */
function newestDay(panels: Panels): number | undefined {
  const results = resultsOf(panels)
  const days = [...panels.keys()].map((report) => {
    const result = results(report)
    return Date.parse(String(cellOf(result, result.rows.at(-1), 'day')))
  })
  const known = days.filter((day) => !Number.isNaN(day))
  return known.length === 0 ? undefined : Math.max(...known)
}

/** `28 days to 4 Apr 2026`; nothing before there is a day. */
export function periodText(panels: Panels, { days }: View): string {
  const newest = newestDay(panels)
  return newest === undefined ? '' : `${days} days to ${dayText(newest)}`
}

interface DayChart {
  readonly report: string
  readonly title: string
  readonly y: readonly string[]
  readonly empty: Empty
}

/** A line of the range's days; compared, its first column beside the days before. */
export function dayChart({ report, title, y, empty }: DayChart, view: View): ChartPart {
  // Columns are a line's other style, where the terminal has more than ASCII.
  const glyphs = view.style % 2 === 1 && view.glyphs === 'braille' ? 'block' : view.glyphs
  const spec = { kind: 'line', title, x: 'day', glyphs }
  return {
    ...{ kind: 'chart', report, title, empty },
    chart: (result) =>
      view.isCompared
        ? comparedDays(result, spec, y[0] ?? '', view.days)
        : {
            result: { ...result, rows: result.rows.slice(-view.days) },
            spec: { ...spec, y },
          },
  }
}

function comparedDays(result: Result, spec: Omit<ChartSpec, 'y'>, y: string, days: number) {
  const names = [`these_${days}_days`, `${days}_days_before`]
  const first = Math.max(0, result.rows.length - days)
  const rows = result.rows
    .slice(first)
    .map((row, index) => [
      cellOf(result, row, 'day'),
      cellOf(result, row, y),
      cellOf(result, result.rows[first + index - days], y),
    ])
  const columns = [
    { name: 'day', type: 'date' as const },
    ...names.map((name) => ({ name, type: 'double' as const })),
  ]
  return { result: { columns, rows }, spec: { ...spec, y: names } }
}

/** A column's sum over the range with its change against the days before, where these are whole. */
export function sumFigure(result: Result, column: string, { days }: View): Figure {
  const values = result.rows.map((row) => toValue(cellOf(result, row, column)))
  const newest = values.slice(-days)
  const before = values.slice(-2 * days, -days)
  const [sum, previous] = [total(newest), total(before)]
  if (result.columns.length === 0 || sum === null)
    return numberFigure(column, sentence(columnLabel(column)), null)
  const change = before.length < days || !previous ? null : (100 * (sum - previous)) / previous
  return {
    ...{ name: column, label: sentence(columnLabel(column)), value: valueText(sum) },
    ...{ change, changeUnit: '%', days: newest },
  }
}

/** None where one is left out: the sum of the others would be taken for all of it. */
export function total(values: readonly Value[]): Value {
  return values.reduce<Value>((sum, value) => (sum === null || value === null ? null : sum + value), 0)
}

/** A figure that is not compared with anything. */
export function plainFigure(name: string, label: string, value: string): Figure {
  return { name, label, value, change: null, changeUnit: '%', days: [] }
}

/** The same of a number; null is `-`. */
export function numberFigure(name: string, label: string, value: Value, unit = ''): Figure {
  return plainFigure(name, label, value === null ? '-' : valueText(value) + unit)
}

/** The same of a percentage, with its first decimal. */
export function percentFigure(name: string, label: string, value: Value): Figure {
  return plainFigure(name, label, value === null ? '-' : `${value.toFixed(1)}%`)
}
