// One cell each: ASCII, Latin letters, dashes, quotes, the ellipsis, currencies.
const NARROW = /^[\x20-\x7e\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2030-\u205e\u20a0-\u20bf]*$/

/** Cells that a text takes on a terminal. */
export type Measure = (text: string) => number

/** string-width takes 26 ms to import, so texts that need it bring it in, and others do not. */
export async function measureFor(texts: Iterable<string>): Promise<Measure> {
  for (const text of texts) {
    if (NARROW.test(text)) continue
    const { default: stringWidth } = await import('string-width')
    return (other) => (NARROW.test(other) ? other.length : stringWidth(other))
  }
  return (text) => text.length
}

/** The text cut to `width` cells, its end replaced by `mark`. */
export function cut(text: string, width: number, mark: string, measure: Measure): string {
  if (measure(text) <= width) return text
  const kept = beginning(text, width - mark.length, measure).trimEnd()
  return measure(kept) + mark.length <= width ? kept + mark : mark
}

/** Dates and flags, which are broken only where they are longer than a line. */
const WHOLE = /\d{4}-\d\d-\d\d|(?<!\S)-\S*/gu

/** The text in at most `most` lines of `width` cells, broken after spaces and punctuation; the rest is cut. */
export function fold(text: string, width: number, most: number, mark: string, measure: Measure): string[] {
  const lines: string[] = []
  let rest = text
  while (measure(rest) > width && lines.length < most - 1) {
    const fits = beginning(rest, width, measure)
    const shape = rest.replace(WHOLE, (word) => 'x'.repeat(word.length))
    const betweenLength = /^.*[\s_\-/:.,;&=]/su.exec(shape.slice(0, fits.length))?.[0].length ?? 0
    const between = rest.slice(0, betweenLength)
    const wordEndsHere = /^\s/u.test(rest.slice(fits.length))
    const nextLength = /^[^\s_\-/:.,;&=]*[_\-/:.,;&=]?/u.exec(shape.slice(betweenLength))?.[0].length ?? 0
    const next = rest.slice(betweenLength, betweenLength + nextLength)
    // A break that leaves half of the line empty is worse than one inside a word that would be broken anyway.
    const breaksWord = measure(next) > width && measure(between) < width / 2
    const line = wordEndsHere || between === '' || breaksWord ? fits : between
    lines.push(line.trimEnd())
    rest = rest.slice(line.length).trimStart()
  }
  return [...lines, cut(rest, width, mark, measure)]
}

/** As much of the text as `width` cells hold; at least one character, so that there is an end. */
function beginning(text: string, width: number, measure: Measure): string {
  if (NARROW.test(text)) return text.slice(0, Math.max(1, width))
  let kept = ''
  let taken = 0
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    taken += measure(segment)
    if (taken > width && kept !== '') break
    kept += segment
  }
  return kept
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
