import type { Chart, Glyphs, Span } from '../types.ts'
import { emptyChart, titleLines } from './axis.ts'
import { ellipsis, fitText, type Line, span, widest } from './frame.ts'
import { percentText, valueText } from './number-text.ts'
import { barText } from './raster.ts'
import { readData, type Value } from './series.ts'

/**
 * How much of a whole is done, one row each. One y is a share (0 to 1) or, in a column named `…_percent`, a
 * percentage; two are the done and the whole.
 */
export const progress: Chart = {
  kind: 'progress',
  draw(result, spec, { width, height }) {
    const { labels, series } = readData(result, spec)
    if (labels.length === 0) return emptyChart(spec, width)
    const title = height > 1 ? titleLines(spec, width) : []
    const rows = height - title.length
    const shown = labels.length <= rows ? labels.length : Math.max(1, rows - 1)
    const mark = ellipsis(spec.glyphs)
    const labelWidth = Math.min(widest(labels.slice(0, shown)), Math.max(4, Math.floor(width * 0.4)))
    const texts = labels.slice(0, shown).map((_, row) => {
      const fraction = fractionOf(row)
      const whole = series[1]?.values[row] ?? null
      const done = series[0]?.values[row] ?? null
      return {
        fraction,
        percent: percentText(fraction),
        counts: whole === null || done === null ? '' : `${valueText(done)}/${valueText(whole)}`,
      }
    })
    const percentWidth = widest(texts.map(({ percent }) => percent))
    const countsWidth = widest(texts.map(({ counts }) => counts))
    const countsCells = countsWidth > 0 && width >= 40 ? countsWidth + 2 : 0
    const columns = Math.max(0, width - labelWidth - 1 - percentWidth - 1 - countsCells)
    const lines = texts.map(
      ({ fraction, percent, counts }, row): Line => [
        span(`${fitText(labels[row] as string, labelWidth, 'left', mark)} `),
        ...trackSpans(fraction, columns, spec.glyphs),
        span(` ${fitText(percent, percentWidth, 'right')}`),
        ...(countsCells > 0 ? [span(`  ${fitText(counts, countsWidth, 'right')}`, 'muted')] : []),
      ],
    )
    const hidden = labels.length - shown
    if (hidden > 0 && lines.length < rows) lines.push([span(`${mark} ${hidden} more`, 'muted')])
    return [...title, ...lines]

    function fractionOf(row: number): Value {
      const done = series[0]?.values[row] ?? null
      if (done === null) return null
      if (series.length < 2) return series[0]?.unit === '%' ? done / 100 : done
      const whole = series[1]?.values[row] ?? null
      return whole === null || whole === 0 ? null : done / whole
    }
  },
}

/** A filled bar on its track, exactly `columns` cells. */
export function trackSpans(fraction: Value, columns: number, glyphs: Glyphs): readonly Span[] {
  const ascii = glyphs === 'ascii'
  const filled = fraction === null ? '' : barText(fraction, columns, ascii ? '#' : '█')
  const rest = Math.max(0, columns - filled.length)
  return [span(filled, 'accent'), span((ascii ? '.' : '·').repeat(rest), 'muted')]
}
