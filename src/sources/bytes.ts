/** Where an input's bytes come from, and how they are unpacked: a file any number of times, a stream once. */

import { createReadStream, type Stats, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { pipeline, Readable } from 'node:stream'
import { UserError } from '../errors.ts'
import { bytesInZip, sizeInZip, type ZipEntry, zipEntryOf } from './zip.ts'

export type Compression = 'none' | 'gzip' | 'zstd'

export interface ByteSource {
  /** What the file looked like when it was found; undefined for a stream. */
  readonly stats: Stats | undefined
  /** Where a file inside an archive lies, and what that looked like. */
  readonly archive?: { readonly path: string; readonly stats: Stats | undefined }
  /** At most `count` first bytes, as often as wanted. */
  peek(count: number): Promise<Buffer>
  /** All bytes from the start, those that were looked at too. Of a stream only once. */
  open(): AsyncIterable<Buffer>
  /** Of a file inside an archive, which is a stream that can be opened again: how long it is. */
  size?(): Promise<number>
}

const CHUNK_BYTES = 1 << 20

/** `-` is standard input; a named pipe is a stream too. */
export function byteSource(name: string): ByteSource {
  if (name === '-') return streamSource(process.stdin)
  const entry = zipEntryOf(name)
  if (entry) return zipSource(entry)
  let stats: Stats
  try {
    stats = statSync(name)
  } catch (cause) {
    if ((cause as { code?: string }).code !== 'ENOENT') throw cause
    throw missing(name, cause)
  }
  if (!stats.isFile()) return streamSource(createReadStream(name, { highWaterMark: CHUNK_BYTES }))
  return {
    stats,
    open: () => createReadStream(name, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Buffer>,
    async peek(count) {
      await using file = await open(name)
      const bytes = Buffer.alloc(Math.min(count, stats.size))
      const { bytesRead } = await file.read(bytes, 0, bytes.length, 0)
      return bytes.subarray(0, bytesRead)
    },
  }
}

function missing(name: string, cause?: unknown): UserError {
  return new UserError('LPA-INPUT-MISSING', `${name}: there is no such file.`, {
    exit: 'noInput',
    next: 'Check the path. Patterns go in quotes: lpa load "exports/*.csv.gz"',
    cause,
  })
}

function zipSource(entry: ZipEntry): ByteSource {
  const size = async () => {
    const bytes = await sizeInZip(entry)
    if (bytes === undefined) throw missing(`${entry.archive}/${entry.name}`)
    return bytes
  }
  return {
    ...{ stats: undefined, size },
    archive: { path: entry.archive, stats: statSync(entry.archive, { throwIfNoEntry: false }) },
    open: () => bytesInZip(entry),
    async peek(count) {
      await size()
      const chunks: Buffer[] = []
      let bytes = 0
      for await (const chunk of bytesInZip(entry)) {
        chunks.push(chunk)
        bytes += chunk.length
        if (bytes >= count) break
      }
      return Buffer.concat(chunks).subarray(0, count)
    },
  }
}

function streamSource(stream: AsyncIterable<Buffer>): ByteSource {
  const chunks = stream[Symbol.asyncIterator]()
  const seen: Buffer[] = []
  let seenBytes = 0
  let isOpen = false
  return {
    stats: undefined,
    async peek(count) {
      while (seenBytes < count) {
        const next = await chunks.next()
        if (next.done) break
        seen.push(next.value)
        seenBytes += next.value.length
      }
      return Buffer.concat(seen).subarray(0, count)
    },
    async *open() {
      if (isOpen) throw new Error('A stream can be read once.')
      isOpen = true
      yield* seen.splice(0)
      for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value
    },
  }
}

const ZSTD_MAGIC = 0xfd2fb528

export function compressionOf(first: Buffer): Compression {
  if (first[0] === 0x1f && first[1] === 0x8b) return 'gzip'
  if (first.length >= 4 && first.readUInt32LE(0) === ZSTD_MAGIC) return 'zstd'
  return 'none'
}

export function unpacked(bytes: AsyncIterable<Buffer>, compression: Compression): AsyncIterable<Buffer> {
  if (compression === 'none') return bytes
  if (compression === 'zstd') return zstdFrames(bytes)
  const gunzip = process.getBuiltinModule('node:zlib').createGunzip({ chunkSize: 1 << 18 })
  return pipeline(Readable.from(bytes, { objectMode: false }), gunzip, () => {})
}

/** Whether an error is the unpacker's: the archive is damaged or cut off. */
export function isArchiveError(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^(Z_|ZSTD_|ERR_)/.test(code)
}

/**
 * Unpacks every frame of a zstd file. Node's own decompressor ends after the first one without a word, and files
 * of several frames are ordinary: pzstd makes them, and `cat a.zst b.zst`.
 */
async function* zstdFrames(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const zlib = process.getBuiltinModule('node:zlib')
  const reader = new ByteReader(bytes)
  for (;;) {
    const head = await reader.peek(8)
    if (head.length === 0) return
    const magic = head.length < 4 ? 0 : head.readUInt32LE(0)
    if (magic === ZSTD_MAGIC) {
      const frame = Readable.from(zstdFrame(reader), { objectMode: false })
      yield* pipeline(frame, zlib.createZstdDecompress({ chunkSize: 1 << 18 }), () => {})
    } else if (magic >>> 4 === 0x184d2a5 && head.length === 8) {
      // A frame that is to be skipped: it holds something of its maker's.
      for await (const _ of reader.take(8 + head.readUInt32LE(4)));
    } else {
      throw Object.assign(new Error('there is something else behind the archive'), { code: 'Z_DATA_ERROR' })
    }
  }
}

/** The bytes of one frame (RFC 8878, section 3.1.1): its header, its blocks, its checksum. */
async function* zstdFrame(reader: ByteReader): AsyncGenerator<Buffer> {
  const descriptor = (await reader.peek(5))[4] ?? 0
  const isSingleSegment = (descriptor & 0b100000) !== 0
  const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] as number
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 0b11] as number
  yield* reader.take(5 + (isSingleSegment ? 0 : 1) + dictionaryBytes + contentSizeBytes)
  for (let isLast = false; !isLast; ) {
    const header = await reader.peek(3)
    // Cut off here: the decompressor says so.
    if (header.length < 3) return
    const bits = header.readUIntLE(0, 3)
    isLast = (bits & 1) === 1
    const isRepeatedByte = ((bits >> 1) & 0b11) === 1
    yield* reader.take(3 + (isRepeatedByte ? 1 : bits >> 3))
  }
  if ((descriptor & 0b100) !== 0) yield* reader.take(4)
}

class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)

  constructor(bytes: AsyncIterable<Buffer>) {
    this.#chunks = bytes[Symbol.asyncIterator]()
  }

  /** The next `count` bytes, fewer at the end. */
  async peek(count: number): Promise<Buffer> {
    while (this.#rest.length < count) {
      const next = await this.#chunks.next()
      if (next.done) break
      this.#rest = this.#rest.length === 0 ? next.value : Buffer.concat([this.#rest, next.value])
    }
    return this.#rest.subarray(0, count)
  }

  /** The same, and goes on behind them. */
  async *take(count: number): AsyncGenerator<Buffer> {
    for (let left = count; left > 0; ) {
      if ((await this.peek(1)).length === 0) return
      const piece = this.#rest.subarray(0, left)
      this.#rest = this.#rest.subarray(piece.length)
      left -= piece.length
      yield piece
    }
  }
}
