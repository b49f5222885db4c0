import { createRequire } from 'node:module'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { MAX_UNPACKED_BYTES, unpackGzip, unpackLz4, unpackZstd, withoutAborted } from './mended-kafkajs.ts'

const record = (
  offset: number,
  producer: number,
  more: { key?: Buffer; control?: 'abort' | 'commit' } = {},
) => ({
  offset: String(offset),
  isControlRecord: more.control !== undefined,
  key: more.control ? Buffer.from([0, 0, 0, more.control === 'abort' ? 0 : 1]) : (more.key ?? null),
  batchContext: { producerId: String(producer), inTransaction: true },
})

const offsets = (messages: readonly ReturnType<typeof record>[], aborted: readonly [number, number][]) =>
  withoutAborted({
    messages: [...messages],
    abortedTransactions: aborted.map(([firstOffset, producerId]) => ({
      firstOffset: String(firstOffset),
      producerId: String(producerId),
    })),
  })
    .filter(({ isControlRecord }) => !isControlRecord)
    .map(({ offset }) => Number(offset))

describe('records of aborted transactions', () => {
  test('are left out until the transaction ends, those of others are not', () => {
    const messages = [
      ...[record(1, 7), record(2, 8), record(3, 7), record(4, 7, { control: 'abort' })],
      ...[record(5, 7), record(6, 8), record(7, 8, { control: 'commit' })],
    ]
    expect(offsets(messages, [[1, 7]])).toEqual([2, 5, 6])
  })

  test('of several that are open where the fetch begins', () => {
    const messages = [
      record(10, 8),
      record(11, 7),
      record(12, 9),
      record(13, 8, { control: 'abort' }),
      record(14, 8),
    ]
    expect(
      offsets(messages, [
        [5, 8],
        [3, 7],
      ]),
    ).toEqual([12, 14])
  })

  test('whatever the keys of messages are', () => {
    const messages = [
      record(1, 7, { key: Buffer.alloc(4) }),
      record(2, 7),
      record(3, 7, { control: 'abort' }),
    ]
    expect(offsets(messages, [[1, 7]])).toEqual([])
  })

  test('are only those', () => {
    const messages = [record(1, 7), record(2, 7)]
    expect(offsets(messages, [])).toEqual([1, 2])
  })
})

describe('a batch that unpacks to more than any producer sends', () => {
  const lz4 = createRequire(import.meta.url)('lz4js') as { compress(bytes: Uint8Array): Uint8Array }
  const codecs = [
    ['gzip', gzipSync, unpackGzip],
    ['zstd', zstdCompressSync, unpackZstd],
    ['lz4', (bytes: Buffer) => Buffer.from(lz4.compress(bytes)), unpackLz4],
  ] as const

  test.each(codecs)('is refused in %s; one as large as allowed is not', async (_, pack, unpack) => {
    const zeros = Buffer.alloc(MAX_UNPACKED_BYTES + 1)
    expect(await unpack(pack(zeros.subarray(1)))).toHaveLength(MAX_UNPACKED_BYTES)
    await expect(unpack(pack(zeros))).rejects.toMatchObject({ code: 'LPA-STREAM-BATCH', exit: 'data' })
  })
})
