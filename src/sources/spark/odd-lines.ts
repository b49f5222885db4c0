/** Lets only some of a text's records go by: those that Spark left to the embedded engine. */

import type { Rewriter } from '../inner-records.ts'

const LF = 10
const CR = 13
const SPACE = 32

/** @param wanted numbers of lines that are not blank, from 1, in order */
export class OddLines implements Rewriter {
  readonly #wanted: readonly number[]
  readonly #isBlank: (line: Buffer) => boolean
  #next = 0
  #line = 0
  #rest: Buffer[] = []

  constructor(wanted: readonly number[], isCsv: boolean) {
    this.#wanted = wanted
    this.#isBlank = isCsv ? isEmptyRow : isWhite
  }

  push(chunk: Buffer): Buffer {
    const picked: Buffer[] = []
    let begin = 0
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, begin)) {
      this.#take(chunk.subarray(begin, end), picked)
      begin = end + 1
    }
    // A copy: the chunk's memory may be used again.
    if (begin < chunk.length) this.#rest.push(Buffer.from(chunk.subarray(begin)))
    return Buffer.concat(picked)
  }

  end(): Buffer {
    const picked: Buffer[] = []
    this.#take(Buffer.alloc(0), picked)
    return Buffer.concat(picked)
  }

  #take(end: Buffer, picked: Buffer[]): void {
    const line = this.#rest.length === 0 ? end : Buffer.concat([...this.#rest, end])
    this.#rest = []
    if (this.#isBlank(line)) return
    this.#line += 1
    if (this.#wanted[this.#next] !== this.#line) return
    this.#next += 1
    picked.push(line, Buffer.of(LF))
  }
}

function isEmptyRow(line: Buffer): boolean {
  return line.length === 0 || (line.length === 1 && line[0] === CR)
}

function isWhite(line: Buffer): boolean {
  return line.every((byte) => byte === SPACE || (byte >= 9 && byte <= 13))
}
