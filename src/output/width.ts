/** Texts in so many cells. */

import { startOf, textWidth } from '../text-width.ts'

/** The text cut to `width` cells, its end replaced by `mark`. */
export function cut(text: string, width: number, mark: string): string {
  if (textWidth(text) <= width) return text
  const kept = beginning(text, width - mark.length).trimEnd()
  return textWidth(kept) + mark.length <= width ? kept + mark : mark
}

/** Dates and flags, which are broken only where they are longer than a line. */
const WHOLE = /\d{4}-\d\d-\d\d|(?<!\S)-\S*/gu

/** The text in at most `most` lines of `width` cells, broken after spaces and punctuation; the rest is cut. */
export function fold(text: string, width: number, most: number, mark: string): string[] {
  const lines: string[] = []
  let rest = text
  while (textWidth(rest) > width && lines.length < most - 1) {
    const fits = beginning(rest, width)
    const shape = rest.replace(WHOLE, (word) => 'x'.repeat(word.length))
    const betweenLength = /^.*[\s_\-/:.,;&=]/su.exec(shape.slice(0, fits.length))?.[0].length ?? 0
    const between = rest.slice(0, betweenLength)
    const wordEndsHere = /^\s/u.test(rest.slice(fits.length))
    const nextLength = /^[^\s_\-/:.,;&=]*[_\-/:.,;&=]?/u.exec(shape.slice(betweenLength))?.[0].length ?? 0
    const next = rest.slice(betweenLength, betweenLength + nextLength)
    // A break that leaves half of the line empty is worse than one inside a word that would be broken anyway.
    const breaksWord = textWidth(next) > width && textWidth(between) < width / 2
    const line = wordEndsHere || between === '' || breaksWord ? fits : between
    lines.push(line.trimEnd())
    rest = rest.slice(line.length).trimStart()
  }
  return [...lines, cut(rest, width, mark)]
}

/** As much of the text as `width` cells hold; at least one character, so that there is an end. */
function beginning(text: string, width: number): string {
  const [first] = new Intl.Segmenter().segment(text)
  return startOf(text, width) || (first?.segment ?? '')
}

/**
 * Lines end between words, and go on indented by two more than they began; a word longer than a line is left whole.
 * Cells are counted as letters.
 */
export function wrapped(text: string, width: number): string {
  return text
    .split('\n')
    .map((line) => {
      const indent = `${/^ */.exec(line)?.[0] ?? ''}  `
      let rest = line
      const lines: string[] = []
      while (rest.length > width) {
        const space = rest.lastIndexOf(' ', width)
        const end = space > indent.length ? space : rest.indexOf(' ', width)
        if (end < 0) break
        lines.push(rest.slice(0, end))
        rest = indent + rest.slice(end + 1)
      }
      return [...lines, rest].join('\n')
    })
    .join('\n')
}
