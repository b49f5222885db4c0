/** Labels around a plot: values down its left, the first, middle and last x below it, a title with its legend above. */

import { safeText } from '../safe-text.ts'
import { textWidth } from '../text-width.ts'
import type { ChartSpec, Glyphs, Span, Tone } from '../types.ts'
import { clipText, ellipsis, fitText, type Line, lineWidth, span } from './frame.ts'
import { shortNumber } from './number-text.ts'
import type { Scale } from './scale.ts'
import type { Series } from './series.ts'

/** Tones of the first, second, … series. Lines and bars also differ in shape: colour is never the only sign. */
export const SERIES_TONES: readonly Tone[] = ['accent', 'strong', 'muted', 'plain']

export function seriesTone(index: number): Tone {
  return SERIES_TONES[index % SERIES_TONES.length] as Tone
}

/** Cells for value labels and the axis; 0 when the plot beside them would be too narrow. */
export function gutterWidth(scale: Scale, unit: string, width: number): number {
  const labels = scale.ticks.map((tick) => shortNumber(tick).length + unit.length)
  const gutter = Math.max(...labels) + 1
  return width - gutter >= 8 ? gutter : 0
}

/** The left part of each of `rows` lines: ticks with their labels, the axis between them. `gutter` cells wide. */
export function valueAxis(
  scale: Scale,
  {
    gutter,
    rows,
    unit,
    glyphs,
    rowOf,
  }: { gutter: number; rows: number; unit: string; glyphs: Glyphs; rowOf: (fraction: number) => number },
): readonly Line[] {
  if (gutter === 0) return Array.from({ length: rows }, () => [])
  const [tickMark, line] = glyphs === 'ascii' ? ['+', '|'] : ['┤', '│']
  const labels = new Map<number, string>()
  // The ends come last, since they matter most where labels meet on a low plot.
  for (const tick of [...scale.ticks.slice(1, -1), scale.ticks[0] as number, scale.ticks.at(-1) as number]) {
    labels.set(rowOf(scale.fraction(tick)), shortNumber(tick) + (tick === 0 ? '' : unit))
  }
  return Array.from({ length: rows }, (_, row) => {
    const label = labels.get(row)
    return [
      span(fitText(label ?? '', gutter - 1, 'right') + (label === undefined ? line : tickMark), 'muted'),
    ]
  })
}

/**
 * The axis below a plot: first, middle and last label (five on a wide plot), each under its own column, and a line
 * between them. `columnOf` gives the column of a label's point, from 0 to `width - 1`.
 */
export function labelAxis(
  labels: readonly string[],
  width: number,
  glyphs: Glyphs,
  columnOf: (index: number) => number,
): string {
  const rule = glyphs === 'ascii' ? '-' : '─'
  const text = labelText(labels, width, glyphs, columnOf)
  const line = text + ' '.repeat(Math.max(0, width - textWidth(text)))
  // Three blanks are the shortest gap that takes a rule with air on both sides.
  return line.replace(/^ +(?! )| {3,}/g, (gap, start: number) => {
    const before = start > 0 ? ' ' : ''
    const after = start + gap.length < line.length ? ' ' : ''
    return before + rule.repeat(gap.length - before.length - after.length) + after
  })
}

function labelText(
  labels: readonly string[],
  width: number,
  glyphs: Glyphs,
  columnOf: (index: number) => number,
): string {
  const last = labels.length - 1
  if (last < 0 || width <= 0) return ''
  // All of a few labels when they fit whole; else evenly spread ones, which may be cut.
  const counts = [...(last < 8 ? [last + 1] : []), ...(width >= 72 && last >= 16 ? [5] : []), 3, 2]
  for (const [attempt, count] of counts.entries()) {
    if (last < count - 1) continue
    const indexes = Array.from({ length: count }, (_, part) =>
      Math.round((part * last) / Math.max(1, count - 1)),
    )
    const room = Math.floor((width - 2 * (count - 1)) / count)
    const whole = attempt === 0 && last < 8
    if (room < 2 || (whole && indexes.some((index) => textWidth(labels[index] as string) > room))) continue
    const parts = indexes.map((index) => ({
      text: clipText(labels[index] as string, Math.max(room, 6), ellipsis(glyphs)),
      column: columnOf(index),
    }))
    const line = placeLabels(parts, width)
    if (line !== undefined) return line
  }
  return clipText(labels[0] as string, width, ellipsis(glyphs))
}

interface PlacedLabel {
  readonly text: string
  readonly column: number
}

/** Labels centred on their columns, within the line and two blanks apart; undefined when they do not fit so. */
function placeLabels(labels: readonly PlacedLabel[], width: number): string | undefined {
  let line = ''
  for (const { text, column } of labels) {
    const cells = textWidth(text)
    const centred = Math.round(column - (cells - 1) / 2)
    const start = Math.min(Math.max(0, centred), width - cells)
    const used = textWidth(line)
    if (start < (used === 0 ? 0 : used + 2)) return undefined
    line += ' '.repeat(start - used) + text
  }
  return line
}

export interface LegendEntry {
  readonly sample: string
  readonly label: string
  readonly tone: Tone
}

/**
 * Title, how the points were thinned, and the legend: one line, which a box takes into its edge, or two when the
 * legend does not fit beside the title.
 */
export function titleLines(
  spec: ChartSpec,
  width: number,
  note = '',
  legend: readonly LegendEntry[] = [],
): readonly Line[] {
  const joint = spec.glyphs === 'ascii' ? ' - ' : ' · '
  const after = note === '' || spec.title === '' ? note : joint + note
  // The note says what the numbers are, so a long title gives way to it; the edge of a box takes two cells.
  const room = Math.max(4, width - 2 - after.length)
  const title: Span[] = []
  if (spec.title !== '')
    title.push(span(clipText(safeText(spec.title), room, ellipsis(spec.glyphs)), 'strong'))
  if (after !== '') title.push(span(after, 'muted'))
  const keys = legend.flatMap(({ sample, label, tone }, index) => [
    ...(index > 0 ? [span('  ')] : []),
    span(sample, tone),
    span(` ${label}`),
  ])
  if (keys.length === 0 || title.length === 0) return [[...title, ...keys]].filter((line) => line.length > 0)
  const one: Line = [...title, span('  '), ...keys]
  return lineWidth(one) <= width ? [one] : [title, keys]
}

/** A legend of several series; one series needs none. */
export function legendOf(series: readonly Series[], samples: readonly string[]): readonly LegendEntry[] {
  if (series.length < 2) return []
  return series.map(({ label }, index) => ({
    sample: samples[index % samples.length] as string,
    label,
    tone: seriesTone(index),
  }))
}

/** A chart without anything to draw says so instead. */
export function emptyChart(spec: ChartSpec, width: number, text = 'no rows'): readonly Line[] {
  return [...titleLines(spec, width), [span(text, 'muted')]]
}
