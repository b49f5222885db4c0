/** What was written to a terminal as an SVG that moves: each line once, each frame made of lines. */

import xterm, { type IBufferCell } from '@xterm/headless'
import type { Piece } from '../bench/dash/terminal.ts'

interface Size {
  readonly columns: number
  readonly rows: number
}

interface Frame {
  readonly at: number
  /** Ids of lines, from top to bottom. */
  readonly lines: readonly number[]
}

const CELL = { width: 8.4, height: 18 }
/** Of a line, below its top. */
const BASELINE = 14
const MARGIN = 14
/** Bytes that come within this time, in milliseconds, are one frame. */
const TOGETHER_MS = 60
const LAST_FRAME_MS = 2000
const LOOKED_AT_MS = 1500
const BACKGROUND = '#16181d'
const FOREGROUND = '#d6d9e0'
/** xterm's first sixteen, readable on the background. */
const COLORS =
  '#16181d #e06c75 #98c379 #e5c07b #61afef #c678dd #56b6c2 #d6d9e0 #7f848e #e06c75 #98c379 #e5c07b #61afef #c678dd #56b6c2 #ffffff'.split(
    ' ',
  )

/** `pieces` in the order in which they were written, `at` in milliseconds. */
export async function movingPicture(pieces: readonly Piece[], size: Size): Promise<string> {
  const known = new Map<string, number>()
  const frames: Frame[] = []
  const terminal = new xterm.Terminal({ cols: size.columns, rows: size.rows, allowProposedApi: true })
  for (const [index, { at, text }] of pieces.entries()) {
    await new Promise<void>((resolve) => terminal.write(text, resolve))
    const next = pieces[index + 1]
    if (next !== undefined && next.at - at < TOGETHER_MS) continue
    const lines = screenLines(terminal, size).map((line) => {
      if (!known.has(line)) known.set(line, known.size)
      return known.get(line) as number
    })
    frames.push({ at, lines })
  }
  terminal.dispose()
  return svgOf([...known.keys()], framesThatDiffer(frames), size)
}

function framesThatDiffer(frames: readonly Frame[]): readonly Frame[] {
  return frames.filter(({ lines }, index) => String(lines) !== String(frames[index - 1]?.lines))
}

interface Run {
  readonly column: number
  readonly style: string
  readonly isBlank: boolean
  width: number
  text: string
}

// ── lines ─────────────────────────────────────────────────────────────────────────────────────────────────

function screenLines(terminal: xterm.Terminal, { columns, rows }: Size): readonly string[] {
  const { active } = terminal.buffer
  return Array.from({ length: rows }, (_, row) => {
    const line = active.getLine(active.viewportY + row)
    const runs: Run[] = []
    for (let column = 0; column < columns; ) {
      const cell = line?.getCell(column)
      const [text, width] = [cell?.getChars() || ' ', Math.max(1, cell?.getWidth() ?? 1)]
      const style = cell === undefined ? '' : styleOf(cell)
      const last = runs.at(-1)
      // A font's wide characters have widths of their own: what stands below each other is apart.
      const isBlank = text === ' '
      if (last?.style === style && last.isBlank === isBlank) {
        last.text += text
        last.width += width
      } else runs.push({ column, width, text, style, isBlank })
      column += width
    }
    return runs
      .filter(({ text }) => text.trim() !== '')
      .map(runSvg)
      .join('')
  })
}

/** `textLength`, since the reader's font has other widths. */
function runSvg({ column, width, text, style }: Run): string {
  const [x, length] = [column, width].map((cells) => (cells * CELL.width).toFixed(1))
  return `<text x="${x}" textLength="${length}"${style}>${escaped(text)}</text>`
}

function styleOf(cell: IBufferCell): string {
  const color = cell.isFgRGB()
    ? `#${cell.getFgColor().toString(16).padStart(6, '0')}`
    : cell.isFgPalette()
      ? paletteColor(cell.getFgColor())
      : undefined
  const parts = [
    color === undefined ? '' : ` fill="${color}"`,
    cell.isBold() ? ' font-weight="bold"' : '',
    cell.isDim() ? ' opacity="0.6"' : '',
  ]
  return parts.join('')
}

/** The 256 colours of xterm: sixteen, a cube of 6 × 6 × 6, greys. */
function paletteColor(index: number): string {
  if (index < 16) return COLORS[index] ?? FOREGROUND
  if (index >= 232) return rgb([0, 0, 0].map(() => 8 + 10 * (index - 232)))
  const level = (part: number) => (part === 0 ? 0 : 55 + 40 * part)
  const cube = index - 16
  return rgb([Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map(level))
}

function rgb(parts: readonly number[]): string {
  return `#${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

// ── the picture ───────────────────────────────────────────────────────────────────────────────────────────

function svgOf(lines: readonly string[], frames: readonly Frame[], { columns, rows }: Size): string {
  const start = frames[0]?.at ?? 0
  const whole = (frames.at(-1)?.at ?? 0) - start + LAST_FRAME_MS
  const width = Math.round(columns * CELL.width + 2 * MARGIN)
  const height = rows * CELL.height + 2 * MARGIN
  // Where nothing may move: the first frame that was looked at.
  const looked = frames.findIndex(({ at }, index) => (frames[index + 1]?.at ?? at) - at >= LOOKED_AT_MS)
  const still = -Math.max(0, looked) * height
  const steps = frames.map(({ at }, index) => {
    const percent = ((100 * (at - start)) / whole).toFixed(3)
    return `${percent}%{transform:translateY(${-index * height}px)}`
  })
  const shown = frames.map(({ lines: ids }, index) => {
    const uses = ids.flatMap((id, row) =>
      lines[id] === '' ? [] : [`<use href="#l${id}" y="${index * height + row * CELL.height + BASELINE}"/>`],
    )
    return `<g>${uses.join('')}</g>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="ui-monospace,'DejaVu Sans Mono','Cascadia Mono',Menlo,Consolas,monospace" font-size="14" fill="${FOREGROUND}">
<title>A session of lpa dash</title>
<style>text{white-space:pre}.play{transform:translateY(${still}px);animation:play ${(whole / 1000).toFixed(2)}s step-end infinite}@keyframes play{${steps.join('')}}@media(prefers-reduced-motion:reduce){.play{animation:none}}</style>
<defs>
${lines.map((line, id) => (line === '' ? '' : `<g id="l${id}">${line}</g>\n`)).join('')}</defs>
<rect width="100%" height="100%" rx="8" fill="${BACKGROUND}"/>
<clipPath id="window"><rect width="${width - 2 * MARGIN}" height="${height - 2 * MARGIN}"/></clipPath>
<g transform="translate(${MARGIN} ${MARGIN})" clip-path="url(#window)"><g class="play">
${shown.join('\n')}
</g></g>
</svg>
`
}
