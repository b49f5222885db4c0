/** A page in sentences, for who listens to it: the same figures, lines and rows without a picture. */

import { valueText } from '../charts/number-text.ts'
import { readData, type Series } from '../charts/series.ts'
import { UserError } from '../errors.ts'
import { safeText } from '../safe-text.ts'
import type { Result } from '../types.ts'
import {
  type ChartPart,
  cellOf,
  type Figure,
  type Page,
  type Part,
  problemText,
  type TablePart,
  wholeFigures,
} from './page.ts'
import type { Panels, View } from './screen.ts'
import { arrangeRows, cellLine } from './table.ts'

/** One sentence a line: figures, then what each part shows, then the chosen row. */
export function describePage(page: Page, panels: Panels, view: View): readonly string[] {
  const figures = wholeFigures(page, panels)?.map(figureSentence) ?? []
  const parts = [...page.parts, ...page.side].map((part) => partSentence(part, panels))
  const kept = [...page.parts, ...page.side, page.table].flatMap((part) => keptSentence(part, panels))
  const trail = page.trail === undefined ? [] : [`${page.trail}.`]
  return [...trail, ...figures, ...parts, tableSentence(page.table, panels, view), ...kept].map(safeText)
}

function figureSentence({ label, value, change, changeUnit }: Figure): string {
  if (change === null) return `${label}: ${value}.`
  const size = Math.abs(change).toFixed(1)
  const unit = changeUnit === '%' ? '%' : ' percentage points'
  const moved = size === '0.0' ? 'the same as' : `${change > 0 ? 'up' : 'down'} ${size}${unit} on`
  return `${label}: ${value}, ${moved} the days before.`
}

/** Of rows that are kept while newer ones do not come. */
function keptSentence({ report, title }: Part, panels: Panels): readonly string[] {
  const panel = panels.get(report)
  return panel?.result && panel.problem ? [`${title} is not the newest: ${problemText(panel.problem)}.`] : []
}

/** Why a part has no rows to tell of; undefined when it has some. */
function reasonFor({ report, title, empty }: Part, panels: Panels): string | undefined {
  const panel = panels.get(report)
  if (panel?.result === undefined) {
    return panel?.problem ? `${title}: ${problemText(panel.problem)}.` : `${title}: still loading.`
  }
  return panel.result.rows.length === 0 ? `${title}: ${empty.text} ${empty.command}` : undefined
}

function partSentence(part: Part, panels: Panels): string {
  const result = panels.get(part.report)?.result
  const reason = reasonFor(part, panels)
  if (reason !== undefined || result === undefined) return reason ?? ''
  return part.kind === 'chart' ? chartSentence(part, result) : `${part.title}: ${rowsText(part, result, 3)}`
}

function chartSentence(part: ChartPart, rows: Result): string {
  try {
    const { result, spec } = part.chart(rows)
    const data = readData(result, spec)
    const told = data.series.map((one) =>
      data.series.length > 3 ? meanText(one) : seriesText(one, data.labels, data.stepDays !== undefined),
    )
    return `${spec.title}: ${told.join('; ')}.`
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return `${part.title}: ${error.message}`
  }
}

/** Of days the ends, the newest and both extremes; of a few named values all. */
function seriesText({ label, unit, values }: Series, labels: readonly string[], isDated: boolean): string {
  const known = values.flatMap((value, index) =>
    value === null ? [] : [{ value, at: (labels[index] ?? '').trim() }],
  )
  const said = ({ value, at }: { value: number; at: string }) => `${valueText(value)}${unit} (${at})`
  if (known.length === 0) return `${label} unknown`
  if (!isDated && known.length <= 8) return `${label} ${known.map(said).join(', ')}`
  const sorted = known.toSorted((a, b) => a.value - b.value)
  const [low, high, last] = [sorted[0], sorted.at(-1), known.at(-1)] as [
    { value: number; at: string },
    { value: number; at: string },
    { value: number; at: string },
  ]
  return `${label} from ${said(low)} to ${said(high)}, ${isDated ? 'newest' : 'last'} ${said(last)}`
}

/** Of a grid: all its cells would take minutes to hear. */
function meanText({ label, unit, values }: Series): string {
  const known = values.filter((value) => value !== null)
  const mean = known.reduce((sum, value) => sum + value, 0) / Math.max(1, known.length)
  return `${label} ${known.length === 0 ? 'unknown' : `${valueText(Math.round(mean * 10) / 10)}${unit} on average`}`
}

function tableSentence(table: TablePart, panels: Panels, view: View): string {
  const result = panels.get(table.report)?.result
  const reason = reasonFor(table, panels)
  if (reason !== undefined || result === undefined) return reason ?? ''
  const rows = arrangeRows(table, result, view)
  const row = rows[Math.max(0, view.selected)]
  const chosen =
    row === undefined ? '' : ` Row ${Math.max(0, view.selected) + 1}: ${rowText(table, result, row)}.`
  return `${table.title}: ${rows.length} ${rows.length === 1 ? 'row' : 'rows'}.${chosen}`
}

function rowsText(table: TablePart, result: Result, most: number): string {
  const told = result.rows.slice(0, most).map((row) => rowText(table, result, row))
  const left = result.rows.length - told.length
  return `${told.join('; ')}${left > 0 ? `; ${left} more` : ''}.`
}

function rowText(table: TablePart, result: Result, row: Result['rows'][number]): string {
  const told = table.columns.map((column, index) => {
    const text = cellLine(column, cellOf(result, row, column.name), 0, 'ascii')[0]?.text ?? ''
    return index === 0 ? text : `${column.label.toLowerCase()} ${text}`
  })
  return told.join(', ')
}
