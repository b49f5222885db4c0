/** Dots and blocks: values become rows of characters, `columns` wide and `rows` high. */

import { createRequire } from 'node:module'
import type { Scale } from './scale.ts'
import type { Value } from './series.ts'

/** One character of a plot and the series it belongs to; -1 is none, BASELINE the zero line among negative values. */
export interface Dot {
  readonly glyph: string
  readonly series: number
}

const BLANK: Dot = { glyph: ' ', series: -1 }
export const BASELINE = -2

// Which steps of a line are drawn: solid, dotted, dashed, dash-dot.
const STROKES: readonly (readonly boolean[])[] = [
  [true],
  [true, false],
  [true, true, true, true, false, false, false],
  [true, true, true, true, false, false, true, false, false],
]
export const BRAILLE_SAMPLES = ['⠒⠒', '⠂⠐', '⠒⠐', '⠒⠂']

// Bits of the 2 × 4 dots of a braille character, by row and column.
const BRAILLE_BITS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const

/** Lines through the values of each series, in braille; a missing value breaks its line. */
export function brailleLines(
  series: readonly (readonly Value[])[],
  scale: Scale,
  columns: number,
  rows: number,
): readonly (readonly Dot[])[] {
  const width = columns * 2
  const height = rows * 4
  const bits = new Uint8Array(columns * rows)
  const owner = new Int8Array(columns * rows).fill(-1)
  // The first series is drawn last, so that it stays whole where lines cross.
  for (let index = series.length - 1; index >= 0; index -= 1) {
    const values = series[index] as readonly Value[]
    const stroke = STROKES[index % STROKES.length] as readonly boolean[]
    let step = 0
    const plot = (x: number, y: number) => {
      if (!stroke[step++ % stroke.length]) return
      const cell = (y >> 2) * columns + (x >> 1)
      bits[cell] = (bits[cell] as number) | (BRAILLE_BITS[y & 3]?.[x & 1] as number)
      owner[cell] = index
    }
    const columnOf = (point: number) => Math.round((point * (width - 1)) / Math.max(1, values.length - 1))
    const rowOf = (value: number) => Math.round((1 - scale.fraction(value)) * (height - 1))
    values.forEach((value, point) => {
      if (value === null) return
      const before = values[point - 1]
      if (typeof before === 'number') {
        drawLine(columnOf(point - 1), rowOf(before), columnOf(point), rowOf(value), plot)
      } else if (typeof values[point + 1] !== 'number') {
        plot(columnOf(point), rowOf(value))
      }
    })
  }
  const zero = scale.low < 0 ? Math.round((1 - scale.fraction(0)) * (height - 1)) >> 2 : rows
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => {
      const cell = row * columns + column
      const dots = bits[cell] as number
      if (dots === 0) return row === zero ? { glyph: '┈', series: BASELINE } : BLANK
      return { glyph: String.fromCharCode(0x2800 + dots), series: owner[cell] as number }
    }),
  )
}

/** Bresenham's line, both ends included. */
function drawLine(
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  plot: (x: number, y: number) => void,
): void {
  const dx = Math.abs(x1 - x0)
  const dy = -Math.abs(y1 - y0)
  const stepX = x0 < x1 ? 1 : -1
  const stepY = y0 < y1 ? 1 : -1
  let error = dx + dy
  for (let x = x0, y = y0; ; ) {
    plot(x, y)
    if (x === x1 && y === y1) return
    const doubled = 2 * error
    if (doubled >= dy) {
      error += dy
      x += stepX
    }
    if (doubled <= dx) {
      error += dx
      y += stepY
    }
  }
}

const EIGHTHS_UP = ' ▁▂▃▄▅▆▇█'
const EIGHTHS_RIGHT = ' ▏▎▍▌▋▊▉█'

/** The column a value stands in when `count` values fill `columns`; wide ones leave a blank between them. */
export function blockColumn(point: number, count: number, columns: number): number {
  return Math.floor(((point + 0.5) * columns) / count)
}

/** Upright bars of eighth blocks; negative values hang from zero in halves. */
export function blockColumns(
  values: readonly Value[],
  scale: Scale,
  columns: number,
  rows: number,
): readonly (readonly Dot[])[] {
  const count = values.length
  const zero = Math.round((1 - scale.fraction(0)) * rows)
  const gap = Math.floor(columns / count) >= 4
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => {
      const point = Math.floor((column * count) / columns)
      if (gap && Math.floor(((column + 1) * count) / columns) !== point) return BLANK
      const value = values[point]
      if (typeof value !== 'number') return BLANK
      if (row >= zero) {
        if (value >= 0) return BLANK
        const half = Math.round((1 - scale.fraction(value) - zero / rows) * rows * 2) - (row - zero) * 2
        return half <= 0 ? BLANK : { glyph: half === 1 ? '▀' : '█', series: 0 }
      }
      const top = Math.round((scale.fraction(value) - scale.fraction(0)) * rows * 8)
      // A value above zero is never drawn as nothing.
      const eighths = Math.max(top, value > 0 ? 1 : 0) - (zero - 1 - row) * 8
      return eighths <= 0 ? BLANK : { glyph: EIGHTHS_UP[Math.min(8, eighths)] as string, series: 0 }
    }),
  )
}

type Plot = (
  series: readonly number[],
  options: {
    min: number
    max: number
    height: number
    offset: number
    symbols: readonly string[]
    format: () => string
  },
) => string

// asciichart's order: axis, tick, lone point left and right, level, falling end, rising end, falling and rising start, upright.
const ASCII_STROKES: readonly (readonly string[])[] = [
  [' ', ' ', '-', '-', '-', '`', '.', '.', "'", '|'],
  ...['*', 'o', '+'].map((mark) => [' ', ' ', ...Array.from({ length: 8 }, () => mark)]),
]
export const ASCII_SAMPLES = ['--', '**', 'oo', '++']

/** Lines through the values of each series, in ASCII, by asciichart; a missing value breaks its line. */
export function asciiLines(
  series: readonly (readonly Value[])[],
  scale: Scale,
  columns: number,
  rows: number,
): readonly (readonly Dot[])[] {
  // Loaded here and not at import: only ASCII terminals pay for it. `draw` cannot wait, so it is no `import()`.
  const require = createRequire(import.meta.url)
  const { plot } = require('asciichart') as { plot: Plot }
  const zero = scale.low < 0 ? rows - 1 - Math.round(scale.fraction(0) * (rows - 1)) : rows
  const grid: Dot[][] = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) =>
      row === zero && column % 2 === 1 ? { glyph: '.', series: BASELINE } : BLANK,
    ),
  )
  for (let index = series.length - 1; index >= 0; index -= 1) {
    const symbols = ASCII_STROKES[index % ASCII_STROKES.length] as readonly string[]
    const levels = stretch(series[index] as readonly Value[], columns).map((value) =>
      value === null ? null : Math.round(scale.fraction(value) * (rows - 1)),
    )
    for (const { start, run } of runs(levels)) {
      // A lone level is drawn as a level line to the next column; the last column has none.
      const points = [...run, run.at(-1) as number]
      const options = { min: 0, max: rows - 1, height: rows - 1, offset: 1, symbols, format: () => ' ' }
      const lines = plot(points, options).split('\n')
      lines.forEach((text, row) => {
        // The first column is asciichart's axis, which is drawn elsewhere.
        ;[...text.slice(1)].forEach((glyph, column) => {
          const line = grid[row]
          if (glyph !== ' ' && line !== undefined && start + column < columns) {
            line[start + column] = { glyph, series: index }
          }
        })
      })
    }
  }
  return grid
}

/** As many values as columns: straight lines between the points. */
function stretch(values: readonly Value[], columns: number): readonly Value[] {
  if (values.length === 1) return Array.from({ length: columns }, () => values[0] as Value)
  return Array.from({ length: columns }, (_, column) => {
    const at = (column * (values.length - 1)) / Math.max(1, columns - 1)
    const before = values[Math.floor(at)] as Value
    const after = values[Math.ceil(at)] as Value
    if (before === null || after === null) return at - Math.floor(at) < 0.5 ? before : after
    return before + (after - before) * (at - Math.floor(at))
  })
}

/** The stretches of neighbouring numbers. */
function runs(levels: readonly Value[]): readonly { readonly start: number; readonly run: number[] }[] {
  const found: { start: number; run: number[] }[] = []
  levels.forEach((level, index) => {
    if (level === null) return
    if (index > 0 && levels[index - 1] !== null) found.at(-1)?.run.push(level)
    else found.push({ start: index, run: [level] })
  })
  return found
}

/** One character a value, zero-based: ▁ is zero, a blank is missing. */
export function sparkText(values: readonly Value[], scale: Scale, ascii: boolean): string {
  const ramp = ascii ? '_.-=*#' : '▁▂▃▄▅▆▇█'
  return values
    .map((value) => (value === null ? ' ' : ramp[Math.round(scale.fraction(value) * (ramp.length - 1))]))
    .join('')
}

/**
 * A bar from the left, `fraction` of `columns` long, in eighths with the full block and else in whole characters. Only
 * nothing is empty and only all of it is full.
 */
export function barText(fraction: number, columns: number, fill = '█'): string {
  if (columns <= 0 || fraction <= 0) return ''
  const steps = fill === '█' ? 8 : 1
  const most = columns * steps
  const shown = Math.min(fraction < 1 && most > 1 ? most - 1 : most, Math.max(1, Math.round(fraction * most)))
  return (
    fill.repeat(Math.floor(shown / steps)) + (EIGHTHS_RIGHT[steps === 8 ? shown % 8 : 0] as string).trim()
  )
}
