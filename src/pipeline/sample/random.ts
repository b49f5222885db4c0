/**
 * Seeded randomness that gives the same numbers on every machine: 32-bit integer arithmetic only, no
 * Math.random, no transcendental functions (their last bit differs between CPUs).
 */

/**
 * A stream of numbers (the generator sfc32, which passes the usual statistical suites). Two streams of one
 * seed with different names have nothing to do with each other.
 */
export class Random {
  #a: number
  #b: number
  #c: number
  #d = 1

  constructor(seed: number, stream: number) {
    this.#a = hash(seed, stream, 1)
    this.#b = hash(seed, stream, 2)
    this.#c = hash(seed, stream, 3)
    for (let warmUp = 0; warmUp < 12; warmUp++) this.next()
  }

  /** An integer from 0 to 2^32 - 1. */
  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#d) | 0
    this.#d = (this.#d + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** An integer from 0 to `bound` - 1. */
  below(bound: number): number {
    return Math.floor((this.next() * bound) / 4294967296)
  }

  /** True `share` of 1,000 times. */
  perMille(share: number): boolean {
    return this.below(1000) < share
  }
}

/** 32 well-mixed bits of (seed, stream, index): a value that can be had again without its predecessors. */
export function hash(seed: number, stream: number, index: number): number {
  const high = Math.floor(seed / 4294967296)
  const start = Math.imul(seed ^ Math.imul(high, 0x27d4eb2f), 0x9e3779b1) ^ Math.imul(stream, 0x85ebca77)
  return scramble(scramble(start ^ Math.imul(index, 0xc2b2ae3d)) ^ index)
}

/** A permutation of the 32-bit integers (murmur3's last step): distinct numbers stay distinct. */
export function scramble(value: number): number {
  let bits = value
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}

/** The index whose share of the summed weights holds `point`; `sums` ascends, 0 <= point < the last sum. */
export function pickWeighted(sums: Float64Array, point: number): number {
  let low = 0
  let high = sums.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sums[middle] as number) > point) high = middle
    else low = middle + 1
  }
  return low
}

/** Running sums of weights, for `pickWeighted`. */
export function runningSums(weights: Iterable<number>): Float64Array {
  let sum = 0
  return Float64Array.from(weights, (weight) => {
    sum += weight
    return sum
  })
}
