import { createRequire } from 'node:module'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import {
  BatchTooLarge,
  MAX_UNPACKED_BYTES,
  unpackGzip,
  unpackLz4,
  unpackSnappy,
  unpackZstd,
} from './codecs.ts'

const require = createRequire(import.meta.url)
const lz4 = require('lz4js') as { compress(bytes: Uint8Array): Uint8Array }
const snappy = require('snappyjs') as { compress(bytes: Buffer): Buffer }

/** As Java's producers write it: a header, and blocks behind their lengths. */
function xerial(bytes: Buffer): Buffer {
  const parts: Buffer[] = [Buffer.from('\x82SNAPPY\0\0\0\0\x01\0\0\0\x01', 'latin1')]
  for (let at = 0; at < bytes.length; at += 1 << 20) {
    const block = snappy.compress(bytes.subarray(at, at + (1 << 20)))
    const length = Buffer.alloc(4)
    length.writeUInt32BE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}

const codecs = [
  ['gzip', gzipSync, unpackGzip],
  ['zstd', zstdCompressSync, unpackZstd],
  ['lz4', (bytes: Buffer) => Buffer.from(lz4.compress(bytes)), unpackLz4],
  ['snappy', snappy.compress, unpackSnappy],
  ['snappy in blocks', xerial, unpackSnappy],
] as const

describe.each(codecs)('%s', (_, pack, unpack) => {
  test('refuses what unpacks to more than any producer sends, and nothing that is as large as allowed', async () => {
    const zeros = Buffer.alloc(MAX_UNPACKED_BYTES + 1)
    expect(await unpack(pack(zeros.subarray(1)))).toHaveLength(MAX_UNPACKED_BYTES)
    await expect(unpack(pack(zeros))).rejects.toThrow(BatchTooLarge)
  })

  test('gives what was packed', async () => {
    const bytes = Buffer.from('Zoë, {"a": 1}\n'.repeat(200_000))
    expect((await unpack(pack(bytes))).equals(bytes)).toBe(true)
  })
})

test('a length that snappy only claims is refused before anything is made for it', async () => {
  const gigabytes = Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0])
  await expect(unpackSnappy(gigabytes)).rejects.toThrow(BatchTooLarge)
  const blocks = Buffer.concat([xerial(Buffer.alloc(0)), Buffer.from([0, 0, 0, 7]), gigabytes])
  await expect(unpackSnappy(blocks)).rejects.toThrow(BatchTooLarge)
})
