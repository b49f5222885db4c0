/**
 * The candidate that `word` was probably meant to be, or undefined when none is near.
 * Near: at most one edit in three letters (insert, delete, replace, swap neighbours), a beginning of it, or its end after
 * a prefix: analyst of lpa_analyst.
 */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase()
  if (wanted === '') return undefined
  let best: { candidate: string; distance: number } | undefined
  for (const candidate of candidates) {
    const known = candidate.toLowerCase()
    const isPart = wanted.length >= 3 && (known.startsWith(wanted) || known.endsWith(`_${wanted}`))
    const distance = isPart ? 1 : editDistance(wanted, known)
    const limit = Math.max(1, Math.floor(Math.max(wanted.length, known.length) / 3))
    if (distance > limit || (best !== undefined && distance > best.distance)) continue
    // Of two as near, the shorter: a word may begin both.
    const isNearer = best === undefined || distance < best.distance || known.length < best.candidate.length
    if (isNearer) best = { candidate, distance }
  }
  return best?.candidate
}

/** What to do about a word that is none of the known: the nearest one, and all of them. `There are: a, b.` */
export function nearest(word: string, known: readonly string[], there = 'There are'): string[] {
  const near = didYouMean(word, known)
  return [...(near === undefined ? [] : [`Did you mean ${near}?`]), `${there}: ${known.join(', ')}.`]
}

/** Optimal string alignment: Levenshtein's edits and the swap of two neighbours, the commonest slip. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      let cost = Math.min(
        at(previous, column) + 1,
        at(current, column - 1) + 1,
        at(previous, column - 1) + (same ? 0 : 1),
      )
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (swapped) cost = Math.min(cost, at(beforePrevious, column - 2) + 1)
      current.push(cost)
    }
    beforePrevious = previous
    previous = current
  }
  return at(previous, b.length)
}

function at(distances: readonly number[], index: number): number {
  return distances[index] ?? Number.POSITIVE_INFINITY
}
