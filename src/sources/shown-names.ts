/** Column names in messages. */

const NAME = /^[\p{L}_$][\p{L}\p{M}\p{N} _.:/()%#$-]{0,60}$/u

/** Names for a message. Where some look like values there may be no header at all: then nothing is quoted. */
export function shownNames(names: readonly string[]): string {
  if (names.length === 0) return '(none could be read)'
  if (names.every((name) => NAME.test(name) && !/\d{4}-\d\d-\d\d/.test(name)))
    return names.slice(0, 20).join(', ')
  return 'not shown, some look like values. If there is no header line, add to the mapping: -- header: none'
}
