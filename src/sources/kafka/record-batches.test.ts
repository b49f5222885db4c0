import { createRequire } from 'node:module'
import { gzipSync } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import { MAX_UNPACKED_BYTES } from './codecs.ts'
import { createKafka } from './mended-kafkajs.ts'
import { brokenBatch, type RawRecord } from './record-batches.ts'

const require = createRequire(import.meta.url)

beforeAll(() => {
  createKafka({ brokers: ['none:1'] })
})

/** What kafkajs decodes of partitions that have these batches, in one answer. */
async function decoded(...partitions: readonly (readonly Buffer[])[]): Promise<RawRecord[][]> {
  const Decoder = require('kafkajs/src/protocol/decoder.js')
  const decode = require('kafkajs/src/protocol/requests/fetch/v4/decodeMessages.js')
  const answer = partitions.flatMap((batches) => {
    const bytes = Buffer.concat(batches)
    return [numbers(4, bytes.length), bytes]
  })
  const decoder = new Decoder(Buffer.concat(answer))
  const found: RawRecord[][] = []
  for (const _ of partitions) found.push(await decode(decoder))
  return found
}

function numbers(bytes: 1 | 2 | 4 | 8, ...values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(bytes * values.length)
  for (const [index, value] of values.entries()) {
    if (bytes === 8) buffer.writeBigInt64BE(BigInt(value), index * 8)
    else buffer.writeIntBE(value, index * bytes, bytes)
  }
  return buffer
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value * 2; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest])
    bytes.push((rest % 128) + 128)
  }
}

/** A batch that begins at an offset, with values packed by gzip, or with what is said to be so. */
function batch(first: number, values: readonly Buffer[], packed?: Buffer, count = values.length): Buffer {
  const records = values.flatMap((value, index) => {
    const head = [Buffer.from([0, 0]), varint(index), Buffer.from([1]), varint(value.length)]
    const body = Buffer.concat([...head, value, Buffer.from([0])])
    return [varint(body.length), body]
  })
  const content = packed ?? gzipSync(Buffer.concat(records))
  const head = Buffer.concat([
    ...[numbers(4, 0), numbers(1, 2), numbers(4, 0), numbers(2, 1), numbers(4, count - 1)],
    ...[numbers(8, 0, 0, -1), numbers(2, -1), numbers(4, -1, count)],
  ])
  return Buffer.concat([numbers(8, first), numbers(4, head.length + content.length), head, content])
}

const events = (count: number) => Array.from({ length: count }, (_, number) => Buffer.from(`event ${number}`))
const large = () => Buffer.alloc(MAX_UNPACKED_BYTES / 2 + 1, ' ')
const offsetsOf = (records: readonly RawRecord[]) => records.map(({ offset }) => Number(offset))

test('a batch that is too large or damaged ends what is read of its partition, and what came before it is there', async () => {
  const zeros = gzipSync(Buffer.alloc(MAX_UNPACKED_BYTES + 1))
  const bad = [batch(2, [], zeros, 1), batch(2, [], Buffer.from('no gzip'), 1), batch(2, [], zeros, 500_001)]
  for (const one of bad) {
    const [records = [], others = []] = await decoded(
      [batch(0, events(2)), one, batch(3, events(1))],
      [batch(7, events(1))],
    )
    expect(offsetsOf(records)).toEqual([0, 1, 2])
    const found = brokenBatch({ topic: 'clicks', partition: 4 }, records)
    expect(found?.offset).toBe(2)
    expect(found?.error).toMatchObject({ code: 'LPA-STREAM-BATCH', exit: 'data', where: 'clicks-4-2' })
    expect(offsetsOf(others)).toEqual([7])
    expect(brokenBatch({ topic: 'clicks', partition: 5 }, others)).toBeUndefined()
  }
})

test('of an answer no more is unpacked when that is enough: the rest is asked for again', async () => {
  const [first = [], second = []] = await decoded(
    [batch(0, [large()]), batch(1, [large()]), batch(2, [large()])],
    [batch(0, [large()])],
  )
  expect(offsetsOf(first)).toEqual([0, 1])
  expect(second).toEqual([])
})

test('a batch of very many messages, and one of a message with very many headers, are read', async () => {
  const many = 200_000
  const header = Buffer.from([2, 0x61, 2, 0x62])
  const headers = Buffer.concat([varint(many), ...Array.from({ length: many }, () => header)])
  const body = Buffer.concat([Buffer.from([0, 0, 0, 1]), varint(1), Buffer.from('x'), headers])
  const [records = []] = await decoded([
    batch(0, events(many)),
    batch(many, [], gzipSync(Buffer.concat([varint(body.length), body])), 1),
  ])
  expect(records).toHaveLength(many + 1)
  expect(String(records.at(-1)?.value)).toBe('x')
})
