/**
 * Records that lie inside larger JSON values, as events do in the envelopes of Caliper: each becomes a line of its own,
 * as it is written. A value that holds no such array is a record itself.
 */

import { UserError } from '../errors.ts'
import type { Input, RecordPlace } from './input.ts'
import type { JsonPath } from './json-path.ts'
import { elementsAt, type Slice, sliceAt } from './json-slices.ts'
import { linesOf } from './lines.ts'

/** Rewrites a text chunk by chunk. */
export interface Rewriter {
  push(chunk: Buffer): Buffer
  end(): Buffer
}

/** A value is in memory as a whole. */
const MAX_VALUE_BYTES = 32 * 1024 * 1024
const [LF, SPACE, QUOTE, COMMA, BACKSLASH] = [0x0a, 0x20, 0x22, 0x2c, 0x5c] as const
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d] as const
const MOST_TRIES = 200

/** The records inside an input of JSON, as an input of lines. */
export function withInnerRecords(input: Input, path: JsonPath): Input {
  let last: InnerRecords | undefined
  const begin = () => new InnerRecords(input, path)
  return {
    ...input,
    format: 'ndjson',
    isSpread: false,
    head: innerHead(input, path),
    rewrite() {
      last = begin()
      return last
    },
    placeOf: (record) => last?.placeOf(record) ?? input.name,
    get places() {
      return input.places && (last?.places ?? [])
    },
  }
}

/** Whether the first value of an input holds records. */
export function holdsRecords(input: Input, path: JsonPath): boolean {
  const rewriter = new InnerRecords(input, path)
  readHead(rewriter, input, path)
  return rewriter.beginsInside
}

function innerHead(input: Input, path: JsonPath): string {
  return readHead(new InnerRecords(input, path), input, path)
}

/** Of a text that is cut off inside its first value, what is there of that. */
function readHead(rewriter: InnerRecords, input: Input, path: JsonPath): string {
  const lines = rewriter.push(Buffer.from(input.head)).toString()
  if (lines !== '' || input.head.length > MAX_VALUE_BYTES) return lines
  const closing = `]${'}'.repeat(path.length)}`
  const text = input.format === 'json' ? input.head.trimStart().slice(1) : input.head
  let tries = 0
  for (let end = text.length; end > 0 && tries < MOST_TRIES; end = text.lastIndexOf('}', end - 1)) {
    const part = Buffer.from(tries === 0 ? text : `${text.slice(0, end + 1)}${closing}`)
    if (isJson(part)) return rewriter.linesOfValue(part, 1).toString()
    tries += 1
  }
  return ''
}

class InnerRecords implements Rewriter {
  readonly #input: Input
  readonly #path: JsonPath
  readonly #mark: Buffer
  readonly #isNested: boolean
  /** Of the value that is not whole yet. */
  #parts: Buffer[] = []
  #size = 0
  #line = 1
  #valueLine = 1
  #depth = 0
  #outer = 0
  #inText = false
  #isEscaped = false
  #hasBegun = false
  #isOver = false
  #records = 0
  /** Where records stop being one a line: the first of them, its line, whether it lies in a larger value. */
  readonly #firsts: number[] = []
  readonly #lines: number[] = []
  readonly #isInner: boolean[] = []

  constructor(input: Input, path: JsonPath) {
    this.#input = input
    this.#path = path
    this.#mark = Buffer.from(JSON.stringify(path[0] ?? ''))
    this.#isNested = input.format === 'json' || input.isSpread === true
  }

  push(chunk: Buffer): Buffer {
    return Buffer.concat(this.#isNested ? this.#pushNested(chunk) : this.#pushLines(chunk))
  }

  end(): Buffer {
    if (!this.#isNested) return this.#takeValue()
    if (this.#size > 0 || this.#depth > 0) throw this.#broken('JSON that is not closed', this.#valueLine)
    return Buffer.alloc(0)
  }

  /** `file:12`, or `file:12:record-3` of the third record of what begins there. */
  placeOf(record: number): string {
    const index = this.#indexOf(record)
    const [first = 1, line = 1] = [this.#firsts[index], this.#lines[index]]
    const at = (line: number) => this.#input.placeOf?.(line) ?? `${this.#input.name}:${line}`
    return this.#isInner[index] ? `${at(line)}:record-${record - first + 1}` : at(line + record - first)
  }

  /** Records inside one message are counted on from it. */
  get places(): RecordPlace[] {
    const outer = this.#input.places ?? []
    return this.#firsts.map((record, index) => {
      const line = this.#lines[index] as number
      const place = outer.findLast((one) => one.record <= line)
      const [id, offset] = [place?.id ?? '', (place?.offset ?? 0) + line - (place?.record ?? 0)]
      return this.#isInner[index] ? { record, id: `${id}-${offset}`, offset: 0 } : { record, id, offset }
    })
  }

  get beginsInside(): boolean {
    return this.#isInner[0] === true
  }

  linesOfValue(json: Buffer, line: number): Buffer {
    const inner = json.includes(this.#mark) && isJson(json) ? this.#elementsOf(json) : undefined
    const records: readonly Slice[] = inner ?? [{ start: 0, end: json.length }]
    if (records.length === 0) return Buffer.alloc(0)
    this.#note(line, inner !== undefined)
    this.#records += records.length
    return linesOf(
      records.map(({ start, end }) => end - start),
      (record, chunk, at) => {
        const { start, end } = records[record] as Slice
        json.copy(chunk, at, start, end)
      },
    )
  }

  #elementsOf(json: Buffer): Slice[] | undefined {
    const place = sliceAt(json, this.#path)
    return place && elementsAt(json, place.start)
  }

  #note(line: number, isInner: boolean): void {
    const record = this.#records + 1
    const last = this.#firsts.length - 1
    const isNext =
      last >= 0 &&
      !isInner &&
      !this.#isInner[last] &&
      !this.#input.places &&
      line - (this.#lines[last] as number) === record - (this.#firsts[last] as number)
    if (isNext) return
    this.#firsts.push(record)
    this.#lines.push(line)
    this.#isInner.push(isInner)
  }

  #indexOf(record: number): number {
    let [low, high] = [0, this.#firsts.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#firsts[middle] as number) <= record) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  // ── one value a line ────────────────────────────────────────────────────────────────────────────────────

  #pushLines(chunk: Buffer): Buffer[] {
    const lines: Buffer[] = []
    for (let start = 0; start < chunk.length; ) {
      const end = chunk.indexOf(LF, start)
      this.#keep(chunk.subarray(start, end < 0 ? chunk.length : end))
      if (end < 0) break
      lines.push(this.#takeValue())
      this.#line += 1
      this.#valueLine = this.#line
      start = end + 1
    }
    return lines
  }

  // ── an array of values, or values over several lines ────────────────────────────────────────────────────

  #pushNested(chunk: Buffer): Buffer[] {
    const lines: Buffer[] = []
    let start = this.#size > 0 ? 0 : -1
    const end = (at: number) => {
      if (start >= 0) this.#keep(chunk.subarray(start, at))
      start = -1
      if (this.#size > 0) lines.push(this.#takeValue())
    }
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] as number
      if (byte === LF) this.#line += 1
      if (this.#inText) {
        if (this.#isEscaped) this.#isEscaped = false
        else if (byte === BACKSLASH) this.#isEscaped = true
        else if (byte === QUOTE) this.#inText = false
        continue
      }
      const isOutside = this.#depth === this.#outer
      if (byte <= SPACE) {
        if (isOutside && this.#outer === 0) end(at)
        continue
      }
      if (this.#isOver) throw this.#broken('something behind the array', this.#line)
      if (!this.#hasBegun && byte === OPEN_ARRAY) {
        this.#hasBegun = true
        this.#outer = 1
        this.#depth = 1
        continue
      }
      this.#hasBegun = true
      if (isOutside && (byte === COMMA || byte === CLOSE_ARRAY)) {
        end(at)
        if (byte === CLOSE_ARRAY) {
          this.#depth = 0
          this.#isOver = true
        }
        continue
      }
      if (start < 0 && isOutside) {
        start = at
        this.#valueLine = this.#line
      }
      if (byte === QUOTE) this.#inText = true
      else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) this.#depth += 1
      else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) {
        this.#depth -= 1
        if (this.#depth === this.#outer) end(at + 1)
      }
    }
    if (start >= 0) this.#keep(chunk.subarray(start))
    return lines
  }

  // ── the value ───────────────────────────────────────────────────────────────────────────────────────────

  #keep(part: Buffer): void {
    if (part.length === 0) return
    this.#size += part.length
    if (this.#size > MAX_VALUE_BYTES) {
      throw this.#broken(`a value of more than ${MAX_VALUE_BYTES / 1024 / 1024} MB`, this.#valueLine)
    }
    this.#parts.push(Buffer.from(part))
  }

  #takeValue(): Buffer {
    const value = Buffer.concat(this.#parts)
    this.#parts = []
    this.#size = 0
    if (value.every((byte) => byte <= SPACE)) return Buffer.alloc(0)
    return this.linesOfValue(value, this.#valueLine)
  }

  #broken(what: string, line: number): UserError {
    return new UserError('LPA-INPUT-BROKEN', `There is ${what}.`, {
      exit: 'data',
      where: `${this.#input.name}:${line}`,
      next: 'Mend it, or write one value a line: jq -c . FILE',
    })
  }
}

function isJson(text: Buffer): boolean {
  try {
    JSON.parse(text.toString('utf8'))
    return true
  } catch {
    return false
  }
}
