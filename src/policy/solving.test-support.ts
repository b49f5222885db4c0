/** What can be worked out, by other means than src/policy/equations.ts; and random numbers that can be had again. */

/**
 * Whether a cell has one value only: no way to change the hidden cells keeps every sum and changes it. By ranks, in whole
 * numbers modulo a prime: another way than the one that is tested.
 */
export function canBeSolved(
  cell: number,
  sums: readonly Map<number, number>[],
  isShown: readonly boolean[],
): boolean {
  const unknown = isShown.flatMap((one, index) => (one ? [] : [index]))
  const rows = sums.map((sum) => unknown.map((index) => sum.get(index) ?? 0))
  const unit = unknown.map((index) => (index === cell ? 1 : 0))
  return rank([...rows, unit]) === rank(rows)
}

function rank(rows: readonly (readonly number[])[]): number {
  const prime = 1_000_003n
  const left = rows.map((row) => row.map((value) => ((BigInt(value) % prime) + prime) % prime))
  let found = 0
  for (let column = 0; column < (left[0]?.length ?? 0); column += 1) {
    const at = left.findIndex((row, index) => index >= found && row[column] !== 0n)
    if (at < 0) continue
    const [pivot] = left.splice(at, 1)
    if (!pivot) continue
    const inverse = power(pivot[column] ?? 1n, prime - 2n, prime)
    for (const row of left.slice(found)) {
      const factor = ((row[column] ?? 0n) * inverse) % prime
      for (let k = 0; k < row.length; k += 1)
        row[k] = ((((row[k] ?? 0n) - factor * (pivot[k] ?? 0n)) % prime) + prime) % prime
    }
    left.splice(found, 0, pivot)
    found += 1
  }
  return found
}

function power(base: bigint, exponent: bigint, prime: bigint): bigint {
  let [result, square, rest] = [1n, base, exponent]
  for (; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % prime
    square = (square * square) % prime
  }
  return result
}

export function mulberry(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
