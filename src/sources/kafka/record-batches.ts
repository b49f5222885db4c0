/** The batches of a partition in an answer of a broker, as records: a part of kafkajs that is replaced (decision 0014). */

import { createRequire } from 'node:module'
import { UserError } from '../../errors.ts'
import type { PartitionId } from './client.ts'
import { BatchTooLarge, MAX_UNPACKED_BYTES } from './codecs.ts'

const require = createRequire(import.meta.url)

/** A record as kafkajs hands it on. */
export interface RawRecord {
  readonly offset: string
  readonly isControlRecord: boolean
  readonly key: Buffer | null
  readonly value?: Buffer | null
  readonly batchContext: { readonly producerId: string; readonly inTransaction: boolean }
  /** Stands for a batch that cannot be read, and why. */
  readonly broken?: Error
}

interface RecordBatch {
  readonly firstOffset: string
  readonly lastOffsetDelta: number
  readonly producerId: string
  readonly records: RawRecord[]
}

interface Decoder {
  readonly buffer: Buffer
  readonly offset: number
  canReadBytes(length: number): boolean
  readBytes(length: number): Buffer
  readInt8(): number
  readInt32(): number
  readVarInt(): number
  readVarLong(): unknown
  readVarIntBytes(): Buffer | null
}

type DecodeMessages = (decoder: Decoder) => Promise<RawRecord[]>

/** Where a batch's number of records is, behind which they begin; where a batch, or what came before it, says what it is. */
const [COUNT_AT, FORMAT_AT] = [57, 16]
const BATCH_FORMAT = 2
/** What a record takes beside its value; so many make a batch of empty ones too large. */
const RECORD_BYTES = 250
const MAX_RECORDS = 500_000

/** What the batches of an answer unpacked to so far. */
const unpackedOf = new WeakMap<Decoder, number>()

/**
 * Batch after batch until what the whole answer unpacked to is enough: the rest is asked for again. A batch that cannot be
 * read ends it too, as a record that says so, so that what came before it is not lost.
 */
export function decodeMessages(decodeOlder: DecodeMessages): DecodeMessages {
  return async (decoder) => {
    if (decoder.buffer[decoder.offset + 4 + FORMAT_AT] !== BATCH_FORMAT) return decodeOlder(decoder)
    const size = decoder.readInt32()
    if (size <= 0 || !decoder.canReadBytes(size)) return []
    const Reader = require('kafkajs/src/protocol/decoder.js') as new (bytes: Buffer) => Decoder
    const decodeBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder.js')
    const reader = new Reader(decoder.readBytes(size))
    const records: RawRecord[] = []
    let unpacked = unpackedOf.get(decoder) ?? 0
    while (unpacked < MAX_UNPACKED_BYTES && reader.canReadBytes(COUNT_AT + 4)) {
      const { offset: at, buffer } = reader
      try {
        if (buffer.readInt32BE(at + COUNT_AT) > MAX_RECORDS) throw new BatchTooLarge('500,000 messages')
        const batch: RecordBatch = await decodeBatch(reader)
        for (const record of withEnd(batch)) {
          records.push(record)
          unpacked += RECORD_BYTES + (record.key?.length ?? 0) + (record.value?.length ?? 0)
        }
      } catch (error) {
        // The last one may be cut off: how much is answered is counted in bytes.
        if (!(error instanceof Error) || error.name === 'KafkaJSPartialMessageError') break
        records.push({ ...endOf(String(buffer.readBigInt64BE(at)), '-1'), broken: error })
        break
      }
    }
    unpackedOf.set(decoder, unpacked)
    return records
  }
}

/**
 * Adds a control record at the end of a batch whose last record is not there, because the topic was compacted: kafkajs
 * knows of a batch only its records, would ask for an empty one for ever, and step through the rest one by one.
 */
function withEnd({ records, firstOffset, lastOffsetDelta, producerId }: RecordBatch): RawRecord[] {
  const end = String(BigInt(firstOffset) + BigInt(lastOffsetDelta))
  return records.at(-1)?.offset === end ? records : [...records, endOf(end, producerId)]
}

function endOf(offset: string, producerId: string): RawRecord {
  const batchContext = { producerId, inTransaction: false }
  return { offset, isControlRecord: true, key: null, batchContext }
}

/** Without times and headers, which nobody asks for: thousands of headers would keep kafkajs busy for minutes. */
export function decodeRecord(
  decoder: Decoder,
  batchContext: RawRecord['batchContext'] & {
    readonly firstOffset: string
    readonly isControlBatch: boolean
  },
): RawRecord {
  decoder.readInt8()
  decoder.readVarLong()
  const offset = String(BigInt(batchContext.firstOffset) + BigInt(decoder.readVarInt()))
  const [key, value] = [decoder.readVarIntBytes(), decoder.readVarIntBytes()]
  return { offset, key, value, isControlRecord: batchContext.isControlBatch, batchContext }
}

/** The batch that cannot be read and ended what was fetched of a partition: its first offset, and the error. */
export function brokenBatch(
  { topic, partition }: PartitionId,
  records: readonly RawRecord[],
): { readonly offset: number; readonly error: UserError } | undefined {
  const last = records.at(-1)
  if (!last?.broken) return undefined
  const why = last.broken instanceof BatchTooLarge ? last.broken.message : 'cannot be unpacked'
  const error = new UserError('LPA-STREAM-BATCH', `The batch of messages at offset ${last.offset} ${why}.`, {
    ...{ exit: 'data', where: `${topic}-${partition}-${last.offset}`, cause: last.broken },
    next: [
      'No producer should send that: look for the one that does (kafka-dump-log shows whose it is).',
      'What came before it in its partition is committed. --reset-offsets with --from a time behind it goes on.',
      'It passes over all that is older and not committed yet, in other partitions too.',
    ],
  })
  return { offset: Number(last.offset), error }
}
