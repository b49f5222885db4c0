import { textWidth } from '../text-width.ts'
import type { Cell, Chart, Glyphs, Size, Tone } from '../types.ts'
import { emptyChart, titleLines } from './axis.ts'
import { clipText, ellipsis, fitText, type Line, span, widest } from './frame.ts'
import { valueText } from './number-text.ts'
import { zeroScale } from './scale.ts'
import { cellLabel, columnIndex, columnLabel, columnUnit, toValue, type Value } from './series.ts'

/**
 * A grid of shades from zero to the highest value, as in retention: `heat x=cohort y=week_0,week_1,week_2` puts the
 * rows of the result down and the y columns across. Cells carry their number where the grid has room for it, so that
 * neither colour nor shade is the only sign.
 */
export const heat: Chart = {
  kind: 'heat',
  draw(result, spec, size) {
    if (result.rows.length === 0 || spec.y.length === 0) return emptyChart(spec, size.width)
    const values = spec.y.map((name) => {
      const index = columnIndex(result, name)
      return result.rows.map((row) => toValue(row[index]))
    })
    const scale = zeroScale(values.flat())
    const prefix = commonPrefix(spec.y)
    const xIndex = columnIndex(result, spec.x)
    const grid: Grid = {
      corner: [columnLabel(spec.x), columnLabel(prefix)].filter(Boolean).join(' / '),
      across: spec.y.map((name) => columnLabel(name.slice(prefix.length))),
      down: result.rows.map((row) => row[xIndex] ?? null),
      cellAt: (row, column) => values[column]?.[row] ?? null,
      highest: scale.high > 0 ? scale.high : 1,
    }
    // A title, the heading and as many rows as are left.
    const shown = Math.max(1, Math.min(grid.down.length, size.height - 2))
    const key = `${shadesOf(spec.glyphs).slice(1).join('')} up to ${valueText(grid.highest)}${columnUnit(spec.y[0] ?? '')}`
    const cut = shown < grid.down.length ? `, last ${shown} of ${grid.down.length}` : ''
    const title = size.height > 1 ? titleLines(spec, size.width, key + cut) : []
    return [...title, ...gridLines(grid, spec.glyphs, { ...size, height: size.height - title.length })]
  },
}

interface Grid {
  readonly corner: string
  readonly across: readonly string[]
  readonly down: readonly Cell[]
  readonly cellAt: (row: number, column: number) => Value
  readonly highest: number
}

/** What several columns' names begin with, up to an underline: `week_` of `week_0` and `week_1`. */
function commonPrefix(names: readonly string[]): string {
  const prefix = /^.*_/.exec(names[0] ?? '')?.[0] ?? ''
  return names.length > 1 && names.every((name) => name.startsWith(prefix) && name !== prefix) ? prefix : ''
}

const SHADES = ['·', '░', '▒', '▓', '█']
const ASCII_SHADES = ['.', ':', '+', 'x', '#']
const SHADE_TONES: readonly Tone[] = ['muted', 'muted', 'accent', 'accent', 'accent']

function shadesOf(glyphs: Glyphs): readonly string[] {
  return glyphs === 'ascii' ? ASCII_SHADES : SHADES
}

/** 0 for zero and below, then a quarter of the scale each. */
function shadeOf(value: number, highest: number): number {
  return value <= 0 ? 0 : Math.min(4, Math.max(1, Math.ceil((value / highest) * 4)))
}

function gridLines(grid: Grid, glyphs: Glyphs, size: Size): Line[] {
  const shades = shadesOf(glyphs)
  const mark = ellipsis(glyphs)
  // The newest cohorts are the last rows: they stay when not all fit.
  const start = Math.max(0, grid.down.length - Math.max(1, size.height - 1))
  const down = grid.down.slice(start).map(cellLabel)
  const labelWidth = Math.min(widest([grid.corner, ...down]), Math.max(3, Math.floor(size.width * 0.3)))
  const room = Math.max(0, size.width - labelWidth - 1)
  const across = grid.across.slice(0, room)
  const textAt = (row: number, column: number) => numberText(grid.cellAt(start + row, column))
  const numberWidth = widest(down.flatMap((_, row) => across.map((_, column) => textAt(row, column))))
  const cells = cellsFor(across, room, numberWidth)
  const columns = across.slice(0, Math.floor(room / cells.width))
  const lines = down.map(
    (label, row): Line => [
      span(`${fitText(label, labelWidth, 'left', mark)} `),
      ...columns.map((_, column) => {
        const value = grid.cellAt(start + row, column)
        if (value === null) return span(' '.repeat(cells.width))
        const shade = shadeOf(value, grid.highest)
        const patch = (shades[shade] as string).repeat(cells.patch)
        const text = cells.numbered ? patch + textAt(row, column).padStart(numberWidth + 1) : patch
        return span(text.padStart(cells.width), SHADE_TONES[shade])
      }),
    ],
  )
  const head = headText(columns, cells.width)
  const header: Line = [span(`${fitText(grid.corner, labelWidth, 'left', mark)} ${head}`, 'muted')]
  return size.height > 1 ? [header, ...lines] : lines
}

function numberText(value: Value): string {
  if (value === null) return ''
  return Math.abs(value) < 999.5 ? String(Math.round(value)) : valueText(value)
}

/** The widest cells that show every column, down to one shade each. */
function cellsFor(across: readonly string[], room: number, numberWidth: number) {
  const count = across.length
  const numbered = numberWidth + 4
  if (room >= numbered * count) return { width: numbered, patch: 2, numbered: true }
  if (room >= (numbered - 1) * count) return { width: numbered - 1, patch: 1, numbered: true }
  if (room >= 3 * count && widest(across) <= 2) return { width: 3, patch: 2, numbered: false }
  return { width: room >= 2 * count ? 2 : 1, patch: 1, numbered: false }
}

/** Headings at the right of their cells; cells too narrow for them leave only the first and the last. */
function headText(across: readonly string[], width: number): string {
  if (widest(across) < width) return across.map((label) => fitText(label, width, 'right')).join('')
  const room = across.length * width
  const first = clipText(across[0] ?? '', room)
  const last = across.at(-1) ?? ''
  const gap = room - textWidth(first) - textWidth(last)
  return gap >= 1 ? first + ' '.repeat(gap) + last : first
}
