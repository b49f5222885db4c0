import type { Chart, ChartSpec, Frame, Glyphs, Size, Span } from '../types.ts'
import {
  emptyChart,
  gutterWidth,
  labelAxis,
  legendOf,
  SERIES_TONES,
  seriesTone,
  titleLines,
  valueAxis,
} from './axis.ts'
import { clipText, ellipsis, type Line, span } from './frame.ts'
import {
  ASCII_SAMPLES,
  asciiLines,
  BASELINE,
  BRAILLE_SAMPLES,
  blockColumn,
  blockColumns,
  brailleLines,
  type Dot,
} from './raster.ts'
import { zeroScale } from './scale.ts'
import { type Condensed, condense, type Data, readData } from './series.ts'
import { sparkLines } from './sparkline.ts'

/** Braille needs room to read as a line; narrower plots are drawn in blocks. */
const BRAILLE_COLUMNS = 30
const SMALLEST: Size = { width: 10, height: 3 }

/**
 * Values along x, from zero: braille lines, block columns, or ASCII lines. Series that could not be told apart in one
 * plot without colour get one each, below each other. Too little room for a plot gives sparklines.
 */
export const line: Chart = {
  kind: 'line',
  draw(result, spec, size) {
    const data = readData(result, spec)
    if (!data.series.some(({ values }) => values.some((value) => value !== null)))
      return emptyChart(spec, size.width)
    const narrow = spec.glyphs === 'braille' && size.width < BRAILLE_COLUMNS
    const glyphs = narrow ? 'block' : spec.glyphs
    const several = data.series.length > 1
    if (several && (glyphs === 'block' || data.series.length > SERIES_TONES.length)) {
      return multiples(data, { ...spec, glyphs }, size)
    }
    const condensed = condense(data, capacityOf(data, size.width))
    const samples = glyphs === 'ascii' ? ASCII_SAMPLES : BRAILLE_SAMPLES
    const title = titleLines(spec, size.width, condensed.note, legendOf(data.series, samples))
    const height = size.height - title.length
    if (height < SMALLEST.height || size.width < SMALLEST.width) return sparkLines(data, spec, size)
    return [...title, ...plot(condensed, glyphs, { width: size.width, height })]
  },
}

/** How many points a plot of this width shows: one a cell. Braille could take two, but then a week is only a spike. */
function capacityOf(data: Data, width: number): number {
  const scale = zeroScale(data.series.flatMap(({ values }) => values))
  return width - gutterWidth(scale, unitOf(data), width)
}

function unitOf(data: Data): string {
  return data.series.every(({ unit }) => unit === '%') ? '%' : ''
}

/** Axes and plot: `size.height - 1` rows and a line of x labels. */
function plot(data: Condensed, glyphs: Glyphs, size: Size): Line[] {
  const values = data.series.map((one) => one.values)
  const scale = zeroScale(values.flat())
  const unit = unitOf(data)
  const gutter = gutterWidth(scale, unit, size.width)
  const columns = size.width - gutter
  const rows = size.height - 1
  const count = data.labels.length
  const { dots, rowOf, columnOf } = {
    braille: () => ({
      dots: brailleLines(values, scale, columns, rows),
      rowOf: (fraction: number) => Math.round((1 - fraction) * (rows * 4 - 1)) >> 2,
      columnOf: (index: number) => (index * (columns - 1)) / Math.max(1, count - 1),
    }),
    block: () => ({
      dots: blockColumns(values[0] ?? [], scale, columns, rows),
      rowOf: (fraction: number) => Math.min(rows - 1, Math.floor((1 - fraction) * rows)),
      columnOf: (index: number) => blockColumn(index, count, columns),
    }),
    ascii: () => ({
      dots: asciiLines(values, scale, columns, rows),
      rowOf: (fraction: number) => rows - 1 - Math.round(fraction * (rows - 1)),
      columnOf: (index: number) => (index * (columns - 1)) / Math.max(1, count - 1),
    }),
  }[glyphs]()
  const axis = valueAxis(scale, { gutter, rows, unit, glyphs, rowOf })
  const corner = gutter > 0 ? ' '.repeat(gutter - 1) + (glyphs === 'ascii' ? '+' : '└') : ''
  const labels = labelAxis(data.labels, columns, glyphs, columnOf)
  return [
    ...dots.map((row, index): Line => [...(axis[index] as Line), ...dotSpans(row)]),
    [span(corner + labels, 'muted')],
  ]
}

function dotSpans(row: readonly Dot[]): readonly Span[] {
  const spans: { text: string; tone: Span['tone'] }[] = []
  let series: number | undefined
  for (const dot of row) {
    if (dot.series !== series) {
      series = dot.series
      spans.push({
        text: '',
        tone: series === BASELINE ? 'muted' : series < 0 ? 'plain' : seriesTone(series),
      })
    }
    const last = spans.at(-1)
    if (last !== undefined) last.text += dot.glyph
  }
  return spans
}

/** A plot of its own for each series, one above the other over the same x. */
function multiples(data: Data, spec: ChartSpec, size: Size): Frame {
  const alone = data.series.map((one): Data => ({ ...data, series: [one] }))
  const capacity = Math.min(...alone.map((one) => capacityOf(one, size.width)))
  const condensed = condense(data, capacity)
  const title = titleLines(spec, size.width, condensed.note)
  const height = Math.floor((size.height - title.length - 1) / data.series.length)
  // A name and two rows at least.
  if (height < 3 || size.width < SMALLEST.width) return sparkLines(data, spec, size)
  const panels = condensed.series.flatMap((one, index) => {
    const lines = plot({ ...condensed, series: [one] }, spec.glyphs, { width: size.width, height })
    const name = [span(clipText(one.label, size.width, ellipsis(spec.glyphs)))]
    return [name, ...(index === data.series.length - 1 ? lines : lines.slice(0, -1))]
  })
  return [...title, ...panels]
}
