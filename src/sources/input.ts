/** One input: a file or standard input, what it holds, and its bytes in flight. */

import { createReadStream, type Stats, statSync } from 'node:fs'
import { pipeline, Readable, type Transform } from 'node:stream'
import { UserError } from '../errors.ts'
import { counterFor, hasher, type Measure, type TextFormat } from './measure.ts'

export type Format = TextFormat | 'parquet'
export type Compression = 'none' | 'gzip' | 'zstd'

export interface Input {
  /** The path as given, or `-`. */
  readonly name: string
  readonly format: Format
  readonly compression: Compression
  readonly hasBom: boolean
  /** Of a CSV. */
  readonly delimiter: string
  /** The first whole lines (or array elements) as text, at most 256 KB: clear values, kept in memory only. */
  readonly head: string
  /** Every byte from the start, compressed as it lies. */
  open(): Readable
  /** What the file looked like when it was recognised; undefined for standard input. */
  readonly stats: Stats | undefined
}

const HEAD_BYTES = 256 * 1024
/** A decompressed text may be this many times its file, once it is large. Real exports stay under 60. */
const BOMB_RATIO = 400
const BOMB_BYTES = 512 * 1024 * 1024

/** Looks at an input's first bytes and tells what it is. `-` is standard input. */
export async function openInput(name: string): Promise<Input> {
  const source = name === '-' ? standardInput() : fileInput(name)
  const magic = await firstBytes(source.open(), 4)
  const compression = compressionOf(magic)
  if (magic.toString('latin1') === 'PAR1') {
    if (name === '-') throw unreadable(name, 'Parquet cannot be read from standard input.', 'Name the file.')
    return { ...source, name, format: 'parquet', compression, hasBom: false, delimiter: ',', head: '' }
  }
  if (magic[0] === 0x50 && magic[1] === 0x4b) {
    throw unreadable(name, 'It is a zip archive.', 'Unpack it and load the folder.')
  }
  let bytes = await firstBytes(decompressed(source.open(), compression), HEAD_BYTES)
  const whole = bytes.length < HEAD_BYTES
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    throw unreadable(name, 'It is UTF-16.', `Convert it: iconv -f UTF-16 -t UTF-8 ${name} > utf8.csv`)
  }
  const hasBom = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
  if (hasBom) bytes = bytes.subarray(3)
  if (bytes.length === 0) throw unreadable(name, 'It is empty.', 'Check the export that made it.')
  const text = bytes.toString('utf8')
  const head = whole ? text : text.slice(0, Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r')) + 1)
  const first = text.trimStart()[0]
  const format: TextFormat = first === '[' ? 'json' : first === '{' ? 'ndjson' : 'csv'
  return {
    ...source,
    name,
    format,
    compression,
    hasBom,
    head: head || text,
    delimiter: format === 'csv' ? delimiterOf(text) : ',',
  }
}

/** Data that no reader can take: exit 65. */
export function unreadable(name: string, message: string, next: string, cause?: unknown): UserError {
  return new UserError('LPA-INPUT-UNREADABLE', `${name}: ${message}`, { exit: 'data', next, cause })
}

function fileInput(path: string) {
  let stats: Stats
  try {
    stats = statSync(path)
  } catch (cause) {
    throw new UserError('LPA-INPUT-MISSING', `${path}: there is no such file.`, {
      exit: 'noInput',
      next: 'Check the path. Patterns go in quotes: lpa load "exports/*.csv.gz"',
      cause,
    })
  }
  return { stats, open: () => createReadStream(path, { highWaterMark: 1 << 20 }) as Readable }
}

/** Standard input, whose first bytes can be looked at again. */
function standardInput() {
  const seen: Buffer[] = []
  const iterator = process.stdin[Symbol.asyncIterator]()
  async function* from() {
    let index = 0
    for (;;) {
      while (index < seen.length) yield seen[index++] as Buffer
      // Only the last reader goes beyond what was seen; nothing more is kept then.
      const next = await iterator.next()
      if (next.done) return
      const chunk = next.value as Buffer
      if (seenBytes() < 2 * HEAD_BYTES) {
        seen.push(chunk)
        index += 1
      }
      yield chunk
    }
  }
  const seenBytes = () => seen.reduce((sum, chunk) => sum + chunk.length, 0)
  return { stats: undefined, open: () => Readable.from(from(), { objectMode: false }) }
}

async function firstBytes(stream: Readable, count: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer)
    length += (chunk as Buffer).length
    if (length >= count) break
  }
  return Buffer.concat(chunks).subarray(0, count)
}

function compressionOf(magic: Buffer): Compression {
  if (magic[0] === 0x1f && magic[1] === 0x8b) return 'gzip'
  if (magic.length >= 4 && magic.readUInt32LE(0) === 0xfd2fb528) return 'zstd'
  return 'none'
}

function decompressed(stream: Readable, compression: Compression): Readable {
  if (compression === 'none') return stream
  // zlib is needed for compressed inputs only.
  const zlib = process.getBuiltinModule('node:zlib')
  const unpack: Transform = compression === 'gzip' ? zlib.createGunzip() : zlib.createZstdDecompress()
  return pipeline(stream, unpack, () => {}) as unknown as Readable
}

/** The delimiter that the header line holds most of, outside quotes. */
function delimiterOf(text: string): string {
  const line = (/^[^\r\n]*/.exec(text)?.[0] ?? '').replace(/"(?:[^"]|"")*"/g, '')
  const counts = [',', ';', '\t', '|'].map((mark) => ({ mark, count: line.split(mark).length }))
  counts.sort((a, b) => b.count - a.count)
  return counts[0]?.mark ?? ','
}

export interface ReadOptions {
  readonly hasHeader: boolean
  readonly signal: AbortSignal
  /** Takes the decompressed text, without a byte order mark; back-pressure by its promise. */
  readonly sink?: (chunk: Buffer) => Promise<void>
  /** Bytes of the input so far. */
  readonly onBytes?: (bytes: number) => void
}

/**
 * Reads an input once, to its end: hashes it, counts its records, and hands its text on.
 * @throws UserError (data) for a broken archive, an archive bomb, or an input that changed meanwhile.
 */
export async function readInput(input: Input, options: ReadOptions): Promise<Measure> {
  const hash = hasher()
  const counter =
    input.format === 'parquet' ? undefined : counterFor(input.format, input.delimiter, options.hasHeader)
  let rawBytes = 0
  async function* hashed() {
    for await (const chunk of input.open()) {
      hash.push(chunk as Buffer)
      rawBytes += (chunk as Buffer).length
      options.onBytes?.(rawBytes)
      yield chunk as Buffer
    }
  }
  const isPlain = input.compression === 'none'
  const text = isPlain
    ? hashed()
    : decompressed(Readable.from(hashed(), { objectMode: false }), input.compression)
  let textBytes = 0
  let first = true
  try {
    for await (const read of text) {
      options.signal.throwIfAborted()
      let chunk = read as Buffer
      if (first && input.hasBom) chunk = chunk.subarray(3)
      first = false
      textBytes += chunk.length
      if (!isPlain && textBytes > BOMB_BYTES && textBytes > rawBytes * BOMB_RATIO) {
        throw unreadable(
          input.name,
          `It unpacks to more than ${BOMB_RATIO} times its size.`,
          'If that is meant, unpack it yourself and load the text.',
        )
      }
      counter?.push(chunk)
      if (options.sink) await options.sink(chunk)
    }
  } catch (cause) {
    if (cause instanceof UserError || options.signal.aborted) throw cause
    if (!isPlain && isArchiveError(cause)) {
      throw unreadable(input.name, 'The archive is cut off or damaged.', 'Export or copy it again.', cause)
    }
    throw cause
  }
  assertUnchanged(input)
  const counted = counter?.end()
  if (counted?.badLine) {
    throw new UserError(
      'LPA-INPUT-BROKEN',
      `${input.name}:${counted.badLine.line}: there is ${counted.badLine.why}.`,
      { exit: 'data', where: `${input.name}:${counted.badLine.line}`, next: 'Mend or remove that line.' },
    )
  }
  return { ...hash.end(), records: counted?.records ?? 0, lineOf: counted?.lineOf ?? ((record) => record) }
}

function isArchiveError(error: unknown): boolean {
  const code = (error as { code?: unknown }).code
  return typeof code === 'string' && (/^Z_|^ZSTD_|^ERR_/.test(code) || code === 'Z_BUF_ERROR')
}

function assertUnchanged(input: Input): void {
  if (!input.stats) return
  const now = statSync(input.name)
  const { size, ino, mtimeMs } = input.stats
  if (now.size !== size || now.ino !== ino || now.mtimeMs !== mtimeMs) {
    throw unreadable(input.name, 'It changed while it was read.', 'Load it again when it is complete.')
  }
}

/** The SHA-256 of an input's bytes as they lie. */
export async function hashInput(input: Input): Promise<string> {
  const hash = hasher()
  for await (const chunk of input.open()) hash.push(chunk as Buffer)
  return hash.end().sha256
}
