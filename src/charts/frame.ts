/** Lines of toned text: measuring, clipping, joining, boxing, and turning them into terminal text. */

import { safeText } from '../safe-text.ts'
import { startOf, textWidth } from '../text-width.ts'
import type { Click, Frame, Glyphs, Size, Span, Tone } from '../types.ts'

export type Line = readonly Span[]

/** Cells that a line takes. */
export function lineWidth(line: Line): number {
  let width = 0
  for (const { text } of line) width += textWidth(text)
  return width
}

/** Cells of the widest text; 0 for none. A loop, since a result may have more rows than a call takes arguments. */
export function widest(texts: Iterable<string>): number {
  let width = 0
  for (const text of texts) width = Math.max(width, textWidth(text))
  return width
}

/** All text of a frame comes in here, and is safe from then on. */
export function span(text: string, tone: Tone = 'plain', click?: Click): Span {
  return click === undefined ? { text: safeText(text), tone } : { text: safeText(text), tone, click }
}

/** The mark of cut text at a glyph level, one cell wide. */
export function ellipsis(glyphs: Glyphs): string {
  return glyphs === 'ascii' ? '~' : '…'
}

/** Begins as all the others of its place do; its end tells it from them. */
const URL = /^[a-z]+:\/\/[\x21-\x7e]+$/

/**
 * `text` in at most `width` cells; cut text ends in `mark` (one cell), but of a URL it is the end that is kept. Never
 * splits a wide or combined character.
 */
export function clipText(text: string, width: number, mark = ''): string {
  if (width <= 0) return ''
  if (textWidth(text) <= width) return text
  const room = width - mark.length
  if (mark !== '' && room > 0 && URL.test(text)) return mark + text.slice(-room)
  return startOf(text, room) + mark
}

/** `text` in exactly `width` cells, at the left or right of them. */
export function fitText(text: string, width: number, align: 'left' | 'right' = 'left', mark = ''): string {
  const clipped = clipText(text, width, mark)
  const gap = ' '.repeat(Math.max(0, width - textWidth(clipped)))
  return align === 'left' ? clipped + gap : gap + clipped
}

/** What lies at a cell of a line, counted from 0. */
export function spanAt(line: Line, cell: number): Span | undefined {
  let end = 0
  return line.find(({ text }) => {
    end += textWidth(text)
    return cell < end
  })
}

/** A line in at most `width` cells. */
function clipLine(line: Line, width: number): Line {
  const kept: Span[] = []
  let room = width
  for (const one of line) {
    if (room <= 0) break
    const { text } = one
    const clipped = clipText(text, room)
    kept.push({ ...one, text: clipped })
    if (clipped !== text) break
    room -= textWidth(clipped)
  }
  return kept
}

/** A line in exactly `width` cells. */
export function fitLine(line: Line, width: number): Line {
  const clipped = clipLine(line, width)
  const gap = width - lineWidth(clipped)
  return gap > 0 ? [...clipped, span(' '.repeat(gap))] : clipped
}

/** At most `size.height` lines of at most `size.width` cells: the last guard of everything that draws. */
export function clipFrame(frame: Frame, size: Size): Frame {
  return frame.slice(0, Math.max(0, size.height)).map((line) => clipLine(line, size.width))
}

/** Exactly `size.height` lines of exactly `size.width` cells. */
function fitFrame(frame: Frame, size: Size): Frame {
  return Array.from({ length: Math.max(0, size.height) }, (_, row) => fitLine(frame[row] ?? [], size.width))
}

/** Frames side by side; each fills `width` cells but the last. */
export function beside(parts: readonly { readonly frame: Frame; readonly width: number }[], gap = 0): Frame {
  const height = Math.max(0, ...parts.map(({ frame }) => frame.length))
  return Array.from({ length: height }, (_, row) =>
    parts.flatMap(({ frame, width }, index) => [
      ...(index > 0 && gap > 0 ? [span(' '.repeat(gap))] : []),
      ...fitLine(frame[row] ?? [], width),
    ]),
  )
}

/** A frame in a box whose top edge carries the frame's first line, as charts put their title there. */
export function boxed(frame: Frame, size: Size, glyphs: Glyphs): Frame {
  const { width, height } = size
  if (width < 4 || height < 2) return clipFrame(frame, size)
  const [topLeft, topRight, bottomLeft, bottomRight, across, down] =
    glyphs === 'ascii' ? ['+', '+', '+', '+', '-', '|'] : ['╭', '╮', '╰', '╯', '─', '│']
  const title = clipLine(frame[0] ?? [], width - 4)
  const titleWidth = lineWidth(title)
  const rest = Math.max(0, width - 2 - (titleWidth > 0 ? titleWidth + 2 : 0))
  const lead =
    titleWidth > 0 ? [span(`${topLeft} `, 'muted'), ...title, span(' ')] : [span(`${topLeft}`, 'muted')]
  return [
    [...lead, span(`${`${across}`.repeat(rest)}${topRight}`, 'muted')],
    ...fitFrame(frame.slice(1), { width: width - 2, height: height - 2 }).map((line) => [
      span(`${down}`, 'muted'),
      ...line,
      span(`${down}`, 'muted'),
    ]),
    [span(`${bottomLeft}${`${across}`.repeat(width - 2)}${bottomRight}`, 'muted')],
  ]
}

/** What a tone is on a terminal: the parameters of an SGR sequence; none: the terminal's own. */
export type Theme = Readonly<Record<Tone, string>>

// ANSI-16 on the terminal's own background. Muted is `dim`, not bright black: some palettes paint that in the
// background's colour.
export const ANSI_16: Theme = {
  plain: '',
  muted: '2',
  strong: '1',
  accent: '36',
  good: '32',
  bad: '31',
  warn: '33',
}

/** Terminal text of a frame: lines joined by LF, none at the end, no trailing blanks, no escapes without colour. */
export function frameToText(frame: Frame, { color }: { readonly color: boolean }): string {
  return frame.map((line) => lineToText(line, color ? ANSI_16 : undefined)).join('\n')
}

/** One line of it; without a theme no escapes. */
export function lineToText(line: Line, theme: Theme | undefined): string {
  const plain = line
    .map(({ text }) => text)
    .join('')
    .trimEnd()
  if (theme === undefined) return plain
  let text = ''
  let left = plain.length
  for (let index = 0; index < line.length && left > 0; ) {
    const tone = (line[index] as Span).tone
    let run = ''
    for (; index < line.length && line[index]?.tone === tone; index += 1) run += (line[index] as Span).text
    run = run.slice(0, left)
    left -= run.length
    // Blanks need no colour: fewer bytes, and an underlining terminal shows none.
    text += theme[tone] === '' || run.trim() === '' ? run : `\x1b[${theme[tone]}m${run}\x1b[0m`
  }
  return text
}
