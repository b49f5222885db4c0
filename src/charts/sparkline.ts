import type { Chart, ChartSpec, Frame, Size } from '../types.ts'
import { emptyChart, seriesTone, titleLines } from './axis.ts'
import { ellipsis, fitText, type Line, span, widest } from './frame.ts'
import { valueText } from './number-text.ts'
import { sparkText } from './raster.ts'
import { fullScale } from './scale.ts'
import { condense, type Data, readData, type Value } from './series.ts'

/** One row a series: its name, its course from zero to its own highest value, its last value. */
export const sparkline: Chart = {
  kind: 'sparkline',
  draw(result, spec, size) {
    const data = readData(result, spec)
    return data.labels.length === 0 ? emptyChart(spec, size.width) : sparkLines(data, spec, size)
  },
}

/** The lines of a sparkline chart; also what a line chart shrinks to. */
export function sparkLines(data: Data, spec: ChartSpec, size: Size): Frame {
  const { width, height } = size
  const titled = spec.title !== '' && height > data.series.length
  const named = data.series.length > 1 || (spec.title === '' && width >= 24)
  const names = named ? data.series.map(({ label }) => label) : data.series.map(() => '')
  const lasts = data.series.map(({ values, unit }) => {
    const last = values.at(-1) ?? null
    return last === null ? '-' : valueText(last) + unit
  })
  const nameWidth = Math.min(widest(names), Math.floor(width / 3))
  const lastWidth = width >= 12 ? widest(lasts) : 0
  const nameCells = nameWidth >= 4 ? nameWidth + 1 : 0
  const columns = Math.max(1, width - nameCells - (lastWidth > 0 ? lastWidth + 1 : 0))
  const condensed = condense(data, columns)
  const lines = condensed.series.map(
    ({ values }, index): Line => [
      ...(nameCells > 0
        ? [span(`${fitText(names[index] as string, nameWidth, 'left', ellipsis(spec.glyphs))} `)]
        : []),
      span(spark(values, columns, spec.glyphs === 'ascii'), seriesTone(0)),
      ...(lastWidth > 0 ? [span(` ${fitText(lasts[index] as string, lastWidth, 'right')}`)] : []),
    ],
  )
  return titled ? [...titleLines(spec, width, condensed.note), ...lines] : lines
}

/** A sparkline of exactly `columns` cells: fewer values are spread over them. */
export function spark(values: readonly Value[], columns: number, ascii: boolean): string {
  const spread =
    values.length >= columns || values.length === 0
      ? values
      : Array.from(
          { length: columns },
          (_, column) => values[Math.floor((column * values.length) / columns)] as Value,
        )
  return fitText(sparkText(spread, fullScale(values), ascii), columns)
}
