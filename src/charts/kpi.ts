import type { Cell, Chart, ChartSpec, Frame, Glyphs, Result } from '../types.ts'
import { emptyChart, titleLines } from './axis.ts'
import { changeSpan } from './change.ts'
import { fitLine, type Line, lineWidth, span } from './frame.ts'
import { valueTexts } from './number-text.ts'
import { columnIndex, columnLabel, columnUnit, sentence, toValue, type Value } from './series.ts'

export interface Kpi {
  readonly name: string
  readonly label: string
  readonly value: string
  /** Against the period before: in percent of it; of what is a percentage itself, in points where that is known. */
  readonly change: Value
  readonly changeUnit: '%' | ' pp'
}

/**
 * Key figures beside each other: name above value and change. `kpi x=kpi y=value,change_percent`; a column `unit` of
 * the result gives the values theirs, a column `previous` those before.
 */
export const kpi: Chart = {
  kind: 'kpi',
  draw(result, spec, { width, height }) {
    if (result.rows.length === 0) return emptyChart(spec, width)
    const title = height > 2 ? titleLines(spec, width) : []
    const lines: Line[] = []
    let rest: readonly Tile[] = readKpis(result, spec).map((one) => kpiTile(one, spec.glyphs))
    // Rows of tiles with a blank line between them, while they fit whole.
    while (rest.length > 0 && (lines.length === 0 || title.length + lines.length + 3 <= height)) {
      const { frame, cells } = tileRow(rest, width)
      lines.push(...(lines.length > 0 ? [[]] : []), ...frame)
      rest = rest.slice(cells.length)
    }
    return [...title, ...lines]
  },
}

/** The figures of a result, in its order. */
export function readKpis(result: Result, spec: ChartSpec): readonly Kpi[] {
  const nameAt = columnIndex(result, spec.x)
  const valueAt = columnIndex(result, spec.y[0] ?? '')
  const changeAt = spec.y[1] === undefined ? -1 : columnIndex(result, spec.y[1])
  const [unitAt = -1, previousAt = -1] = ['unit', 'previous'].map((name) =>
    result.columns.findIndex((column) => column.name === name),
  )
  return result.rows.map((row) => {
    const name = textOf(row[nameAt])
    const unit = unitAt < 0 ? columnUnit(name) : textOf(row[unitAt])
    const [value, previous] = [toValue(row[valueAt]), toValue(row[previousAt])]
    const isShare = columnLabel(unit) === '%' && value !== null && previous !== null
    return {
      name,
      label: sentence(columnLabel(name)),
      value: valueTexts([value], columnLabel(unit))[0] as string,
      change: isShare ? value - previous : toValue(row[changeAt]),
      changeUnit: isShare ? ' pp' : '%',
    }
  })
}

function textOf(cell: Cell | undefined): string {
  return cell === null || cell === undefined ? '' : String(cell)
}

/** Lines of a figure: all of them are shown whole or none. */
export type Tile = readonly Line[]

export function kpiTile(one: Kpi, glyphs: Glyphs): Tile {
  return [
    [span(one.label, 'muted')],
    [span(one.value, 'strong'), span(' '), changeSpan(one.change, one.name, glyphs, one.changeUnit)],
  ]
}

const GAP = 2

export interface TileRow {
  readonly frame: Frame
  /** Cells of each tile that is shown, with the gap to the next. */
  readonly cells: readonly number[]
}

/** As many tiles as fit into `width` cells (at least one), spread over them. */
export function tileRow(tiles: readonly Tile[], width: number): TileRow {
  const least = tiles.map((tile) => Math.max(...tile.map(lineWidth)))
  let shown = 0
  let taken = -GAP
  for (const cells of least) {
    if (shown > 0 && taken + GAP + cells > width) break
    taken += GAP + cells
    shown += 1
  }
  const slack = Math.max(0, Math.floor((width - taken) / Math.max(1, shown)))
  const cells = least.slice(0, shown).map((one, index) => one + slack + (index < shown - 1 ? GAP : 0))
  const height = Math.max(0, ...tiles.slice(0, shown).map((tile) => tile.length))
  const frame = Array.from({ length: height }, (_, row) =>
    cells.flatMap((one, index) => fitLine(tiles[index]?.[row] ?? [], one)),
  )
  return { frame, cells }
}
