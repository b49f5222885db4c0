/** A screen as a file: a picture of vectors, the same with values to hover over, pixels, or the rows of its table. */

import { extname } from 'node:path'
import { changeSpan } from '../charts/change.ts'
import { toValue } from '../charts/series.ts'
import {
  clipToPixels,
  escapeXml,
  LINE,
  pixelsOf,
  svgChart,
  svgLegend,
  svgText,
  svgTrack,
} from '../charts/svg.ts'
import { UserError } from '../errors.ts'
import { csvWriter } from '../output/csv.ts'
import { writeWhole } from '../report-file.ts'
import type { Result, Row, Size } from '../types.ts'
import {
  cellOf,
  type Figure,
  type Page,
  type Part,
  problemText,
  rowsOf,
  type TableColumn,
  type TablePart,
  wholeFigures,
} from './page.ts'
import type { PageScreen } from './page-screen.ts'
import { periodText } from './period.ts'
import type { Panel, Panels, Screen, View } from './screen.ts'
import { SCREENS } from './screens/index.ts'
import { arrangeRows, cellLine } from './table.ts'

const FORMATS = ['svg', 'html', 'png', 'csv'] as const
type ExportFormat = (typeof FORMATS)[number]

/** @throws UserError usage (2) for another ending than .svg, .html, .png and .csv */
export function exportFormat(file: string): ExportFormat {
  const ending = extname(file).slice(1).toLowerCase()
  const format = FORMATS.find((one) => one === ending)
  if (format !== undefined) return format
  throw new UserError('LPA-DASH-EXPORT', `A screen cannot be written as ${file}.`, {
    exit: 'usage',
    next: `Name a file that ends in ${FORMATS.map((one) => `.${one}`).join(', ')}.`,
  })
}

/** Writes the screen into a file, in the place of one that is there. @throws UserError, the system's errors */
export async function exportScreen(
  screen: PageScreen,
  panels: Panels,
  view: View,
  file: string,
): Promise<void> {
  const format = exportFormat(file)
  const content = {
    svg: () => screenSvg(screen, panels, view),
    html: () => screenHtml(screen, panels, view),
    png: () => screenPng(screen, panels, view),
    csv: () => tableCsv(screen.page(view, panels).table, panels, view),
  }[format]
  await writeWhole(file, await content())
}

/** For a key: the page `lpa-SCREEN.html` in the working folder, in the place of the last one. Answers its name. */
export async function exportPage({ name }: Screen, panels: Panels, view: View): Promise<string> {
  const file = `lpa-${name}.html`
  const screen = SCREENS.find((one) => one.name === name)
  if (screen !== undefined) await exportScreen(screen, panels, view, file)
  return file
}

/** All rows that filter and sort leave, formulas made harmless. */
async function tableCsv(table: TablePart, panels: Panels, view: View): Promise<string> {
  const result = rowsOf(panels, table.report)
  const csv = await csvWriter(result.columns, { escapeFormulas: true, safe: true })
  return csv.head + csv.rows(arrangeRows(table, result, view))
}

async function screenPng(screen: PageScreen, panels: Panels, view: View): Promise<Uint8Array> {
  const { Resvg } = await import('@resvg/resvg-js')
  const options = { fitTo: { mode: 'zoom', value: 2 }, font: { loadSystemFonts: true } } as const
  return new Resvg(screenSvg(screen, panels, view), options).render().asPng()
}

/** One file that asks for nothing: no script, no font, no address. */
function screenHtml(screen: PageScreen, panels: Panels, view: View): string {
  const title = escapeXml(headingOf(screen, screen.page(view, panels), panels, view))
  const told = screen.describe(panels, view).map((sentence) => `<li>${escapeXml(sentence)}</li>`)
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>body { margin: 1rem; font-family: system-ui, sans-serif } svg { max-width: 100%; height: auto }</style>
${screenSvg(screen, panels, view)}
<details><summary>In words</summary><ul>${told.join('')}</ul></details>
</html>
`
}

// ── the picture ───────────────────────────────────────────────────────────────────────────────────────────

const WIDTH = 1200
const EDGE = 24
const FIGURES_HEIGHT = 70
const PART_HEIGHT = 260
const MOST_ROWS = 40

function headingOf({ title }: PageScreen, page: Page, panels: Panels, view: View): string {
  return [page.trail ?? title, periodText(panels, view)].filter(Boolean).join(', ')
}

function screenSvg(screen: PageScreen, panels: Panels, view: View): string {
  const page = screen.page(view, panels)
  const blocks: string[] = []
  let top = EDGE
  const place = (content: string, height: number) => {
    blocks.push(`<g transform="translate(${EDGE} ${top})">${content}</g>`)
    top += height
  }
  const inner = WIDTH - 2 * EDGE
  const heading = headingOf(screen, page, panels, view)
  place(svgText(0, 18, heading, { size: 20, isBold: true }), 44)
  const figures = wholeFigures(page, panels)
  if (figures !== undefined) place(figuresSvg(figures, inner), FIGURES_HEIGHT)
  const parts = [...page.parts, ...page.side]
  for (let index = 0; index < parts.length; index += 2) {
    const pair = parts.slice(index, index + 2)
    const width = (inner - EDGE * (pair.length - 1)) / pair.length
    const drawn = pair.map((part, column) => {
      const content = partSvg(part, panels, { width, height: PART_HEIGHT - EDGE })
      return `<g transform="translate(${column * (width + EDGE)} 0)">${content}</g>`
    })
    place(drawn.join(''), PART_HEIGHT)
  }
  const { table } = page
  place(svgText(0, 14, table.title, { isBold: true }), LINE + 4)
  const panel = panels.get(table.report)
  const rows = panel?.result === undefined ? [] : arrangeRows(table, panel.result, view)
  const shown = rows.slice(0, MOST_ROWS)
  place(tableSvg(table, panel, shown, rows.length, inner), LINE * (shown.length + 2))
  const font = 'font-family="system-ui, DejaVu Sans, Arial, sans-serif"'
  const height = top + EDGE
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeXml(heading)}" ${font} xml:space="preserve"><rect width="${WIDTH}" height="${height}" fill="#ffffff"/>${blocks.join('')}</svg>`
}

function figuresSvg(figures: readonly Figure[], width: number): string {
  const cell = width / Math.max(1, figures.length)
  return figures
    .map(({ label, value, change, changeUnit, name }, index) => {
      const moved = changeSpan(change, name, 'block', changeUnit)
      return (
        svgText(index * cell, 12, clipToPixels(label, cell - 8), { tone: 'muted' }) +
        svgText(index * cell, 38, value, { size: 22, isBold: true }) +
        svgText(index * cell, 56, moved.text, { tone: moved.tone })
      )
    })
    .join('')
}

function partSvg(part: Part, panels: Panels, size: Size): string {
  const panel = panels.get(part.report)
  const title = svgText(0, 14, part.title, { isBold: true })
  const below = (content: string) => `${title}<g transform="translate(0 ${LINE + 6})">${content}</g>`
  const reason = reasonText(part, panel)
  if (panel?.result === undefined || reason !== '') return below(svgText(0, 14, reason, { tone: 'muted' }))
  const room = { width: size.width, height: size.height - LINE - 6 }
  if (part.kind === 'table') {
    const rows = panel.result.rows.slice(0, Math.floor(room.height / LINE) - 2)
    return below(tableSvg(part, panel, rows, panel.result.rows.length, room.width))
  }
  try {
    const { result, spec } = part.chart(panel.result)
    const legend = svgLegend(result, spec, pixelsOf(part.title) + 40, 14)
    return legend + below(svgChart(result, spec, room))
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    return below(svgText(0, 14, clipToPixels(error.message, room.width), { tone: 'bad' }))
  }
}

/** Why there is nothing to draw; empty when there is something. */
function reasonText({ empty }: Part, panel: Panel | undefined): string {
  if (panel?.result === undefined) return panel?.problem ? problemText(panel.problem) : 'not read yet'
  return panel.result.rows.length === 0 ? empty.text : ''
}

const BAR = 80
const GAP = 20

function tableSvg(
  table: TablePart,
  panel: Panel | undefined,
  rows: readonly Row[],
  count: number,
  width: number,
): string {
  const result = panel?.result
  const reason = reasonText(table, panel)
  if (result === undefined || reason !== '') return svgText(0, 14, reason, { tone: 'muted' })
  const columns = table.columns.map((column) => ({ ...column, pixels: columnPixels(column, result, rows) }))
  const others = columns.slice(1).reduce((sum, { pixels }) => sum + GAP + pixels, 0)
  const first = Math.max(60, Math.min(columns[0]?.pixels ?? 0, width - others))
  let x = 0
  const drawn = columns.map((column, index) => {
    const pixels = index === 0 ? first : column.pixels
    const content = columnSvg(column, result, rows, x, pixels)
    x += pixels + GAP
    return x - GAP > width + 1 ? '' : content
  })
  const left = count - rows.length
  const rest = `… ${left} more: lpa query ${table.report}`
  return drawn.join('') + (left > 0 ? svgText(0, LINE * (rows.length + 1) + 14, rest, { tone: 'muted' }) : '')
}

function columnPixels(column: TableColumn, result: Result, rows: readonly Row[]): number {
  if (column.kind === 'bar') return BAR + 6 + pixelsOf('100.0%')
  const texts = rows.map(
    (row) => cellLine(column, cellOf(result, row, column.name), 0, 'block')[0]?.text ?? '',
  )
  const longest = column.kind === 'text' ? pixelsOf(' '.repeat(column.most ?? 40)) : Number.POSITIVE_INFINITY
  return Math.min(longest, Math.max(...[column.heading, ...texts].map(pixelsOf)))
}

function columnSvg(
  column: TableColumn,
  result: Result,
  rows: readonly Row[],
  x: number,
  pixels: number,
): string {
  const isLeft = column.kind === 'text' || column.kind === 'bar'
  const at = isLeft ? x : x + pixels
  const anchor = isLeft ? 'start' : 'end'
  const cells = rows.map((row, index) => {
    const cell = cellOf(result, row, column.name)
    const y = LINE * (index + 1)
    const [{ text, tone } = { text: '', tone: 'plain' as const }] = cellLine(column, cell, 0, 'block')
    const value = toValue(cell)
    if (column.kind === 'bar' && value !== null)
      return svgTrack(x, y + 4, BAR, value / 100, text) + svgText(x + BAR + 6, y + 14, text)
    return svgText(at, y + 14, clipToPixels(text, pixels + 1), { anchor, tone })
  })
  return svgText(at, 14, column.heading, { tone: 'muted', anchor, size: 11 }) + cells.join('')
}
