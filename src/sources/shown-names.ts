/** Column names in messages. */

import { EMAIL_SHAPE } from '../email-shape.ts'

/** What no header holds: addresses, dates, times, long numbers, ids, whole sentences, control characters. */
const VALUE = new RegExp(
  `${EMAIL_SHAPE}|^\\s*[+(]?\\d[\\d ()/.:,-]{4,}$|\\d{4}-\\d\\d-\\d\\d|\\d{1,2}\\.\\d{1,2}\\.\\d{2,4}|[0-9a-f]{8}-[0-9a-f]{4}-|^.{61}|\\p{Cc}`,
  'iu',
)
/** Begins as names do: with a letter, be it in brackets. Or a year. */
const NAME = /^[^\p{L}\d]{0,3}\p{L}|^(19|20)\d\d$/u

/** Names for a message. Where they look like a line of values there may be no header at all: then nothing is quoted. */
export function shownNames(names: readonly string[]): string {
  if (names.length === 0) return '(none could be read)'
  const odd = names.filter((name) => !NAME.test(name)).length
  if (odd * 3 < names.length && !names.some((name) => VALUE.test(name))) return names.slice(0, 20).join(', ')
  return 'not shown, some look like values. If there is no header line, add to the mapping: -- header: none'
}
