import { changeSpan } from '../charts/change.ts'
import { ellipsis, fitLine, fitText, type Line, lineWidth, span, widest } from '../charts/frame.ts'
import { kpiTile, readKpis, tileRow } from '../charts/kpi.ts'
import { readData } from '../charts/series.ts'
import { spark } from '../charts/sparkline.ts'
import type { Frame, Glyphs, Span } from '../types.ts'
import type { OverviewData } from './overview.ts'

/** Blanks before everything but boxes, so that all begins in one column. */
const MARGIN = 2

interface Options {
  readonly width: number
  readonly glyphs: Glyphs
}

/** KPIs beside each other: name, value with its change, and with `sparks` their course day by day. */
export function kpiTiles(
  data: OverviewData,
  { width, glyphs, sparks }: Options & { readonly sparks: boolean },
): Frame {
  const kpis = figures(data, glyphs)
  const tiles = kpis.map((kpi) => kpiTile(kpi, glyphs))
  const { frame, cells } = tileRow(tiles, width - MARGIN)
  const margin = span(' '.repeat(MARGIN))
  const lines = frame.map((line) => [margin, ...line])
  if (!sparks) return lines
  const line = cells.flatMap((one, index) =>
    fitLine([sparkOf(kpis[index]?.name ?? '', data, one - 3, glyphs)], one),
  )
  return [...lines, [margin, ...line]]
}

/** KPIs below each other, one line each: for windows too small for charts. */
export function kpiLines(data: OverviewData, { width, glyphs }: Options): Frame {
  const kpis = figures(data, glyphs)
  const labelWidth = Math.min(widest(kpis.map(({ label }) => label)), Math.floor(width * 0.4))
  const valueWidth = widest(kpis.map(({ value }) => value))
  const changes = kpis.map(({ change, changeUnit, name }) => changeSpan(change, name, glyphs, changeUnit))
  const changeWidth = widest(changes.map(({ text }) => text))
  return kpis.map((kpi, index) => {
    const line: Line = [
      span(`${' '.repeat(MARGIN)}${fitText(kpi.label, labelWidth, 'left', ellipsis(glyphs))} `),
      span(fitText(kpi.value, valueWidth, 'right'), 'strong'),
      span(' '),
      ...fitLine([changes[index] as Span], changeWidth),
      span('  '),
    ]
    return [...line, sparkOf(kpi.name, data, width - lineWidth(line) - 1, glyphs)]
  })
}

function figures({ overview }: OverviewData, glyphs: Glyphs) {
  return readKpis(overview, { kind: 'kpi', title: '', x: 'kpi', y: ['value', 'change_percent'], glyphs })
}

const SPARK_DAYS = 28

/** The newest days of the daily report's column of that name; nothing when it has none. */
function sparkOf(name: string, { daily }: OverviewData, columns: number, glyphs: Glyphs): Span {
  const days = Math.min(columns, SPARK_DAYS)
  if (days < 4 || daily.rows.length === 0 || !daily.columns.some((column) => column.name === name))
    return span('')
  const { series } = readData(daily, { kind: 'sparkline', title: '', x: 'day', y: [name], glyphs })
  return span(spark((series[0]?.values ?? []).slice(-days), days, glyphs === 'ascii'), 'accent')
}
