import type { Chart } from '../types.ts'
import { emptyChart, titleLines } from './axis.ts'
import { ellipsis, fitText, type Line, span, widest } from './frame.ts'
import { percentText, valueText } from './number-text.ts'
import { barText } from './raster.ts'
import { readData, type Value } from './series.ts'

/** Steps in the order of the rows: bar, count, share of the first step; with room, what each step lost on the way. */
export const funnel: Chart = {
  kind: 'funnel',
  draw(result, spec, { width, height }) {
    const data = readData(result, spec)
    if (data.labels.length === 0) return emptyChart(spec, width)
    const title = height > 1 ? titleLines(spec, width) : []
    const rows = Math.max(1, height - title.length)
    const labels = data.labels.slice(0, rows)
    const values = labels.map((_, step): Value => {
      const value = data.series[0]?.values[step] ?? null
      return value === null ? null : Math.max(0, value)
    })
    const ascii = spec.glyphs === 'ascii'
    const counts = values.map((value) => (value === null ? '-' : valueText(value)))
    const shares = values.map((value) => percentOf(value, values[0] ?? null))
    const countWidth = widest(counts)
    const shareWidth = width >= 24 ? widest(shares) : 0
    const labelWidth = Math.min(widest(labels), Math.max(4, Math.floor(width * 0.3)))
    const columns = Math.max(0, width - labelWidth - countWidth - 2 - (shareWidth > 0 ? shareWidth + 1 : 0))
    const most = Math.max(...values.map((value) => value ?? 0)) || 1
    const steps = labels.map((label, step): Line => {
      const filled = barText((values[step] ?? 0) / most, columns, ascii ? '#' : '█')
      return [
        span(`${fitText(label, labelWidth, 'left', ellipsis(spec.glyphs))} `),
        span(filled, 'accent'),
        span(
          `${' '.repeat(columns - filled.length)} ${fitText(counts[step] as string, countWidth, 'right')}`,
        ),
        ...(shareWidth > 0
          ? [span(` ${fitText(shares[step] as string, shareWidth, 'right')}`, 'strong')]
          : []),
      ]
    })
    const roomy = rows >= 2 * labels.length - 1 && width >= 40
    if (!roomy) return [...title, ...steps]
    const indent = span(' '.repeat(labelWidth + 1))
    const losses = values
      .slice(1)
      .map((value, step): Line => [indent, ...lossSpans(values[step] ?? null, value, ascii)])
    return [
      ...title,
      ...steps.flatMap((line, step) => (step === 0 ? [line] : [losses[step - 1] as Line, line])),
    ]
  },
}

function percentOf(value: Value, whole: Value): string {
  return percentText(value === null || whole === null || whole === 0 ? null : value / whole)
}

function lossSpans(before: Value, value: Value, ascii: boolean): Line {
  if (before === null || value === null || before === 0) return []
  const lost = before - value
  if (lost === 0) return [span('none lost', 'muted')]
  if (lost < 0) return [span(`${ascii ? '+' : '▲'} ${valueText(-lost)} more`, 'muted')]
  return [
    span(`${ascii ? '-' : '▼'} ${percentOf(lost, before)}`, 'bad'),
    span(` lost ${valueText(lost)}`, 'muted'),
  ]
}
