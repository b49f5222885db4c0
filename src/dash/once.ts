/** A screen as one picture: for what is no terminal, and for a look without staying. */

import { clipFrame, clipText, type Line, lineWidth, span } from '../charts/frame.ts'
import { frameToText, glyphsFor } from '../charts/index.ts'
import { objectKeys, rowJson } from '../output/json.ts'
import type { Terminal } from '../output.ts'
import type { Frame, Glyphs, Result, Size } from '../types.ts'
import { lessThan } from './draw-page.ts'
import { periodText } from './period.ts'
import { FIRST_VIEW, type Panels, type Screen, type View } from './screen.ts'

export interface OnceOptions {
  /** Cells; the picture may be lower than `size.height`. */
  readonly size: Size
  readonly glyphs: Glyphs
  readonly color: boolean
}

/** What a picture is drawn for: this terminal with a line left for the prompt, else 80 × 24 or `COLUMNS` × `LINES`. */
export function onceOptions(
  terminal: Terminal,
  env: Readonly<Record<string, string | undefined>>,
): OnceOptions {
  const lines = Number(env.LINES)
  const height = terminal.isTerminal ? terminal.height - 1 : lines > 0 ? lines : 24
  const width = Number.isFinite(terminal.width) ? terminal.width : 80
  return { size: { width, height }, glyphs: glyphsFor(env, terminal.isTerminal), color: terminal.color }
}

/** How a picture is seen: no row is chosen. */
export function onceView(glyphs: Glyphs): View {
  return { ...FIRST_VIEW, selected: -1, glyphs }
}

/** The picture as terminal text without a line end after its last line. */
export function renderOnce(screen: Screen, panels: Panels, view: View, { size, color }: OnceOptions): string {
  return frameToText(clipFrame(pictureOf(screen, panels, view, size), size), { color })
}

const SMALLEST: Size = { width: 40, height: 10 }

function pictureOf(screen: Screen, panels: Panels, view: View, size: Size): Frame {
  const small = tooSmall(size)
  if (small !== undefined) return [[span(small, 'warn')]]
  const body = screen.draw(panels, view, { width: size.width, height: size.height - 1 })
  return [headerLine(screen, panels, view, size.width), ...body]
}

/** What a window is told that has no room for any screen; undefined where there is some. */
export function tooSmall(size: Size): string | undefined {
  if (!lessThan(size, SMALLEST)) return undefined
  const { width, height } = size
  const text = `The window is ${width}x${height}: too small for a picture, 40x10 is the least.`
  return text.length <= width ? text : clipText(`Too small: ${width}x${height}, needs 40x10`, width)
}

/** The screen's name, and at the right the days that its figures are of. */
function headerLine({ title }: Screen, panels: Panels, view: View, width: number): Line {
  const left: Line = [span('  '), span('lpa', 'accent'), span('  '), span(title, 'strong')]
  const period = periodText(panels, view)
  if (period === '') return left
  for (const text of [`${period}, against the ${view.days} before`, period]) {
    const gap = width - lineWidth(left) - text.length - 1
    if (gap >= 2) return [...left, span(' '.repeat(gap)), span(text, 'muted')]
  }
  return left
}

/** A screen's numbers as JSON, exact: an object with an array of rows for each report. */
export function panelsJson(panels: Panels): string {
  const reports = [...panels].map(([report, { result }]) => `  "${report}": ${rowsJson(result)}`)
  return `{\n${reports.join(',\n')}\n}`
}

function rowsJson(result: Result | undefined): string {
  if (result === undefined || result.rows.length === 0) return '[]'
  const keys = objectKeys(result.columns)
  return `[\n${result.rows.map((row) => `    ${rowJson(row, result.columns, keys)}`).join(',\n')}\n  ]`
}
