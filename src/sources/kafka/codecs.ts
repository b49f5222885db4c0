/** What batches of messages are packed by, with a bound: a megabyte of zeros packs into a hundred bytes. */

import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import { unzip, zstdDecompress } from 'node:zlib'

const require = createRequire(import.meta.url)

/** A batch may unpack to as much as any producer sends at once. */
export const MAX_UNPACKED_BYTES = 64 * 1024 * 1024

/** A batch that is larger than any may be. */
export class BatchTooLarge extends Error {
  constructor(what = `${MAX_UNPACKED_BYTES / 1024 / 1024} MB`) {
    super(`unpacks to more than ${what}`)
  }
}

/** @throws BatchTooLarge; so do the others */
export async function unpackLz4(packed: Buffer): Promise<Buffer> {
  const lz4 = require('lz4js') as {
    decompress(packed: Uint8Array): Uint8Array
    decompressBound(packed: Uint8Array): number
  }
  // What its frame says it needs is made at once.
  if (lz4.decompressBound(packed) > LZ4_BOUND) throw new BatchTooLarge()
  const unpacked = Buffer.from(lz4.decompress(packed))
  if (unpacked.length > MAX_UNPACKED_BYTES) throw new BatchTooLarge()
  return unpacked
}

/** Blocks of a frame without its length count as full ones of 4 MB. */
const LZ4_BOUND = 2 * MAX_UNPACKED_BYTES

export function unpackGzip(packed: Buffer): Promise<Buffer> {
  return promisify(unzip)(packed, { maxOutputLength: MAX_UNPACKED_BYTES }).catch(orTooLarge)
}

export function unpackZstd(packed: Buffer): Promise<Buffer> {
  return promisify(zstdDecompress)(packed, { maxOutputLength: MAX_UNPACKED_BYTES }).catch(orTooLarge)
}

function orTooLarge(error: NodeJS.ErrnoException): never {
  throw error.code === 'ERR_BUFFER_TOO_LARGE' ? new BatchTooLarge() : error
}

export async function unpackSnappy(packed: Buffer): Promise<Buffer> {
  const { uncompress } = require('snappyjs') as { uncompress(block: Buffer): Buffer }
  const blocks = snappyBlocks(packed)
  // What a block says it needs is made at once.
  const bytes = blocks.reduce((sum, block) => sum + snappyLength(block), 0)
  if (bytes > MAX_UNPACKED_BYTES) throw new BatchTooLarge()
  return Buffer.concat(blocks.map((block) => uncompress(block)))
}

/** Java's producers write a header of 16 bytes and blocks, each behind its length; others one block. */
function snappyBlocks(packed: Buffer): Buffer[] {
  if (!packed.subarray(0, XERIAL_MARK.length).equals(XERIAL_MARK)) return [packed]
  const blocks: Buffer[] = []
  for (let at = 16; at + 4 <= packed.length; ) {
    const end = at + 4 + packed.readUInt32BE(at)
    blocks.push(packed.subarray(at + 4, end))
    at = end
  }
  return blocks
}

const XERIAL_MARK = Buffer.from([0x82, ...Buffer.from('SNAPPY'), 0])

/** How much a block says it unpacks to: its first bytes, of seven bits each, the lowest first. */
function snappyLength(block: Buffer): number {
  let length = 0
  for (const [index, byte] of block.subarray(0, 5).entries()) {
    length += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) break
  }
  return length
}
