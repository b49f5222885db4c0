/** Messages of one topic as the lines of an input: clear values, kept in memory only. */

import { isUtf8 } from 'node:buffer'
import type { Input, RecordPlace } from '../input.ts'
import { cloudEventData } from './cloud-event.ts'

/** What is read of a message; a tombstone, which only says that its key is gone, has no value. */
export interface Message {
  /** Decimal. */
  readonly offset: string
  readonly value: Buffer | null
}

const [LF, CR, SPACE] = [10, 13, 32]
const HEAD_BYTES = 256 * 1024
/** A line for a value that no line can hold: it is no object, and goes to quarantine. */
const NO_LINE = Buffer.from('""')

export class MessageLines {
  readonly #topic: string
  readonly #topicId: string
  readonly #chunks: Buffer[] = []
  readonly #places: (RecordPlace & { readonly partition: number })[] = []
  #records = 0
  #bytes = 0
  #tombstones = 0

  constructor(topic: string, topicId: string) {
    this.#topic = topic
    this.#topicId = topicId
  }

  get records(): number {
    return this.#records
  }

  get tombstones(): number {
    return this.#tombstones
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Adds the messages of one partition, in the order of their offsets. */
  add(partition: number, messages: readonly Message[]): void {
    const values: Buffer[] = []
    let length = 0
    // Where the next record stands if nothing is left out.
    let expected = -1
    for (const { offset, value } of messages) {
      if (value === null) {
        this.#tombstones += 1
        continue
      }
      // 2^53 offsets last for 285 years of a million messages a second.
      const at = Number(offset)
      if (at !== expected) {
        const record = this.#records + values.length + 1
        this.#places.push({ record, id: `${this.#topicId}-${partition}`, offset: at, partition })
      }
      expected = at + 1
      const line = lineOf(value)
      values.push(line)
      length += line.length + 1
    }
    if (values.length === 0) return
    this.#records += values.length
    this.#bytes += length
    this.#chunks.push(joined(values, length))
  }

  /** `name` is what stands for the topic in the ledger and in messages to people. */
  input(name: string): Input {
    const chunks = this.#chunks
    return {
      ...{ name, format: 'ndjson', compression: 'none', hasBom: false, delimiter: ',', stats: undefined },
      head: headOf(chunks),
      canReopen: true,
      async *open() {
        yield* chunks
      },
      places: this.#places,
      placeOf: (line) => this.#placeOf(line),
    }
  }

  #placeOf(record: number): string {
    const place = this.#places.findLast((one) => one.record <= record)
    return `${this.#topic}-${place?.partition}-${(place?.offset ?? 0) + record - (place?.record ?? 0)}`
  }
}

/** What stands for a value on its line: the data of a CloudEvent, the value itself otherwise. */
function lineOf(value: Buffer): Buffer {
  const data = cloudEventData(value) ?? value
  const isBlank = (data[0] ?? SPACE) <= SPACE && data.every((byte) => byte <= SPACE)
  return isBlank || data.includes(0) || !isUtf8(data) ? NO_LINE : data
}

/** The values a line each. Inside JSON, line ends stand between values only. */
function joined(values: readonly Buffer[], length: number): Buffer {
  const chunk = Buffer.allocUnsafe(length)
  let at = 0
  for (const value of values) {
    at += value.copy(chunk, at)
    chunk[at] = SPACE
    at += 1
  }
  for (const mark of [LF, CR])
    for (let end = chunk.indexOf(mark); end >= 0; end = chunk.indexOf(mark, end + 1)) chunk[end] = SPACE
  at = -1
  for (const value of values) {
    at += value.length + 1
    chunk[at] = LF
  }
  return chunk
}

/** Whole lines, as far as they are looked at. */
function headOf(chunks: readonly Buffer[]): string {
  const some: Buffer[] = []
  let length = 0
  for (const chunk of chunks) {
    some.push(chunk.subarray(0, HEAD_BYTES))
    length += chunk.length
    if (length >= HEAD_BYTES) break
  }
  const head = Buffer.concat(some).subarray(0, HEAD_BYTES)
  const end = head.lastIndexOf(LF)
  return (end < 0 ? (chunks[0] ?? head) : head.subarray(0, end + 1)).toString('utf8')
}
