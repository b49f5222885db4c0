import stringWidth from 'string-width'

/**
 * Text whose characters all take one cell of a terminal: ASCII, Latin letters, dashes, quotes and currencies, and the arrows,
 * boxes, blocks and braille that are drawn here.
 */
export const NARROW =
  /^[ -~\u00a1-\u00ac\u00ae-\u02ff\u2010-\u2027\u2030-\u205e\u20a0-\u20bf\u2212\u23ce\u2500-\u259f\u25aa\u25b2\u25bc\u25cf\u2800-\u28ff]*$/

/** Cells that a text takes on a terminal. */
export function textWidth(text: string): number {
  return NARROW.test(text) ? text.length : stringWidth(text)
}

/** As much of a text as so many cells hold; never a part of a wide or combined character. */
export function startOf(text: string, width: number): string {
  if (NARROW.test(text)) return text.slice(0, Math.max(0, width))
  let kept = ''
  let used = 0
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    used += textWidth(segment)
    if (used > width) break
    kept += segment
  }
  return kept
}
