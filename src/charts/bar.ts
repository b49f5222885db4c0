import type { Chart, ChartSpec, Size } from '../types.ts'
import { emptyChart, legendOf, seriesTone, titleLines } from './axis.ts'
import { ellipsis, fitText, type Line, span, widest } from './frame.ts'
import { valueTexts } from './number-text.ts'
import { barText } from './raster.ts'
import { fullScale, type Scale } from './scale.ts'
import { type Data, readData, type Value } from './series.ts'

const FILLS = ['█', '▒', '░', '▪']
const ASCII_FILLS = ['#', '=', '-', '.']

/** Horizontal bars from zero in the order of the rows: label, bar, value. Several y make a group of bars each. */
export const bar: Chart = {
  kind: 'bar',
  draw(result, spec, size) {
    const data = readBars(readData(result, spec))
    if (data.labels.length === 0) return emptyChart(spec, size.width)
    const samples = fillsOf(spec).map((fill) => fill + fill)
    const title = titleLines(spec, size.width, '', legendOf(data.series, samples)).slice(
      0,
      Math.max(0, size.height - 1),
    )
    return [...title, ...groupRows(data, spec, { ...size, height: size.height - title.length })]
  },
}

function fillsOf(spec: ChartSpec): readonly string[] {
  return spec.glyphs === 'ascii' ? ASCII_FILLS : FILLS
}

/** Bars need no gaps for missing days. */
function readBars(data: Data): Data {
  const kept = data.labels.map((_, index) => data.series.some(({ values }) => values[index] !== null))
  if (!kept.includes(true)) return data
  const keep = <T>(list: readonly T[]) =>
    data.stepDays === undefined ? list : list.filter((_, index) => kept[index])
  return {
    ...data,
    labels: keep(data.labels),
    series: data.series.map((one) => ({ ...one, values: keep(one.values) })),
  }
}

function groupRows(data: Data, spec: ChartSpec, size: Size): Line[] {
  const perGroup = data.series.length
  const fitting = Math.floor(size.height / perGroup)
  // The last line says what is left out.
  const shown =
    data.labels.length <= fitting ? data.labels.length : Math.max(1, Math.floor((size.height - 1) / perGroup))
  const scale = fullScale(data.series.flatMap(({ values }) => values))
  const texts = data.series.map(({ values, unit }) => valueTexts(values.slice(0, shown), unit))
  const labels = data.labels.slice(0, shown)
  const valueWidth = widest(texts.flat())
  const labelWidth = Math.min(widest(labels), Math.max(4, Math.floor(size.width * 0.4)))
  const columns = Math.max(0, size.width - labelWidth - 1 - valueWidth - 1)
  const fills = fillsOf(spec)
  const mark = ellipsis(spec.glyphs)
  const lines = labels.flatMap((label, row) =>
    data.series.map((one, index): Line => {
      const value = one.values[row] as Value
      const fill = fills[index % fills.length] as string
      return [
        span(`${fitText(index === 0 ? label : '', labelWidth, 'left', mark)} `),
        ...barSpans(value, scale, columns, fill).map((text) => span(text, seriesTone(index))),
        span(` ${texts[index]?.[row]}`),
      ]
    }),
  )
  const hidden = data.labels.length - shown
  if (hidden > 0 && lines.length < size.height) lines.push([span(`${mark} ${hidden} more`, 'muted')])
  return lines
}

/** The bar of a value; with negative values zero lies inside and every bar starts or ends there. */
function barSpans(value: Value, scale: Scale, columns: number, fill: string): readonly string[] {
  if (value === null) return ['']
  if (scale.low === 0) return [barText(scale.fraction(value), columns, fill)]
  const zero = Math.round(scale.fraction(0) * columns)
  if (value >= 0) {
    const room = columns - zero
    return [' '.repeat(zero) + barText(scale.high > 0 ? value / scale.high : 0, room, fill)]
  }
  const cells = Math.min(zero, Math.max(1, Math.round((value / scale.low) * zero)))
  return [' '.repeat(zero - cells) + fill.repeat(cells)]
}
