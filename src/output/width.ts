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
  const room = width - mark.length
  if (room <= 0) return mark.slice(0, Math.max(0, width))
  if (NARROW.test(text)) return `${text.slice(0, room).trimEnd()}${mark}`
  let kept = ''
  let taken = 0
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    taken += measure(segment)
    if (taken > room) break
    kept += segment
  }
  return `${kept.trimEnd()}${mark}`
}
