/** Key figures, beside or below each other. */

import { changeSpan } from '../charts/change.ts'
import { ellipsis, fitLine, fitText, type Line, lineWidth, span, widest } from '../charts/frame.ts'
import { kpiTile, tileRow } from '../charts/kpi.ts'
import { spark } from '../charts/sparkline.ts'
import type { Frame, Glyphs, Span } from '../types.ts'
import type { Figure } from './page.ts'

/** Blanks before everything but boxes, so that all begins in one column. */
export const MARGIN = 2

interface Options {
  readonly width: number
  readonly glyphs: Glyphs
}

/** Figures beside each other: name, value with its change, and with `sparks` their course day by day. */
export function figureTiles(
  figures: readonly Figure[],
  { width, glyphs, sparks }: Options & { readonly sparks: boolean },
): Frame {
  const tiles = figures.map((figure) => kpiTile(figure, glyphs))
  const { frame, cells } = tileRow(tiles, width - MARGIN)
  const margin = span(' '.repeat(MARGIN))
  const lines = frame.map((line) => [margin, ...line])
  if (!sparks || figures.every(({ days }) => days.length === 0)) return lines
  const line = cells.flatMap((one, index) => fitLine([sparkOf(figures[index], one - 3, glyphs)], one))
  return [...lines, [margin, ...line]]
}

/** Figures below each other, one line each: for windows too small for charts. */
export function figureLines(figures: readonly Figure[], { width, glyphs }: Options): Frame {
  const labelWidth = Math.min(widest(figures.map(({ label }) => label)), Math.floor(width * 0.4))
  const valueWidth = widest(figures.map(({ value }) => value))
  const changes = figures.map(({ change, changeUnit, name }) => changeSpan(change, name, glyphs, changeUnit))
  const changeWidth = widest(changes.map(({ text }) => text))
  return figures.map((figure, index) => {
    const line: Line = [
      span(`${' '.repeat(MARGIN)}${fitText(figure.label, labelWidth, 'left', ellipsis(glyphs))} `),
      span(fitText(figure.value, valueWidth, 'right'), 'strong'),
      span(' '),
      ...fitLine([changes[index] as Span], changeWidth),
      span('  '),
    ]
    return [...line, sparkOf(figure, width - lineWidth(line) - 1, glyphs)]
  })
}

const SPARK_DAYS = 28

/** The newest days; nothing where there is no room or are none. */
function sparkOf(figure: Figure | undefined, columns: number, glyphs: Glyphs): Span {
  const days = Math.min(columns, SPARK_DAYS)
  if (figure === undefined || days < 4 || figure.days.length < 2) return span('')
  return span(spark(figure.days.slice(-days), days, glyphs === 'ascii'), 'accent')
}
