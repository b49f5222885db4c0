/** Messages of one topic as the lines of an input: clear values, kept in memory only. */

import { isUtf8 } from 'node:buffer'
import type { Input, RecordPlace } from '../input.ts'
import { headOfLines, LINES, linesOf } from '../lines.ts'
import { cloudEventData } from './cloud-event.ts'

/** What is read of a message; a tombstone, which only says that its key is gone, has no value. */
export interface Message {
  /** Decimal. */
  readonly offset: string
  readonly value: Buffer | null
}

const SPACE = 32
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
      values.push(lineOf(value))
    }
    if (values.length === 0) return
    this.#records += values.length
    const chunk = linesOf(
      values.map(({ length }) => length),
      (record, into, at) => values[record]?.copy(into, at),
    )
    this.#bytes += chunk.length
    this.#chunks.push(chunk)
  }

  /** `name` is what stands for the topic in the ledger and in messages to people. */
  input(name: string): Input {
    const chunks = this.#chunks
    return {
      ...{ ...LINES, name, bytes: this.#bytes },
      head: headOfLines(chunks),
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
