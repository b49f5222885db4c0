/** One input: what it holds, by its first bytes, and its bytes in flight. */

import { createHash } from 'node:crypto'
import { type Stats, statSync } from 'node:fs'
import { UserError } from '../errors.ts'
import {
  type ByteSource,
  byteSource,
  type Compression,
  compressionOf,
  isArchiveError,
  unpacked,
} from './bytes.ts'
import type { Rewriter } from './inner-records.ts'
import { counterFor, hasher, type Measure, type TextFormat } from './measure.ts'
import { BOMB_BYTES, BOMB_RATIO } from './zip.ts'

export type Format = TextFormat | 'parquet'

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
  /** Every byte from the start, compressed as it lies. Of a stream only once, unless it says that it `canReopen`. */
  open(): AsyncIterable<Buffer>
  readonly canReopen?: true
  /** Of NDJSON: it is none yet, but values of JSON over several lines each. */
  readonly isSpread?: boolean
  /** Makes the text into the one that is read and counted; asked for at each reading. */
  readonly rewrite?: () => Rewriter
  /** What the file looked like when it was recognised; undefined for a stream. */
  readonly stats: Stats | undefined
  /** The same of the archive that it lies in. */
  readonly archive?: ByteSource['archive']
  /** Of a stream that is whole in memory, or inside an archive. */
  readonly bytes?: number
  /** Where a line of the text stands, when its number does not tell. */
  readonly placeOf?: (line: number) => string
  /** Of messages: where each record stands, ascending by its number. Events without an id are named by it. */
  readonly places?: readonly RecordPlace[] | undefined
  /** From where the next load of an API goes on; known when all was read. */
  readonly cursor?: () => string | undefined
}

/** From this record on, each is one further: record 5 with offset 40 means that record 6 has offset 41. */
export interface RecordPlace {
  /** From 1. */
  readonly record: number
  /** What no other records have in common: the id of a topic, and the partition. */
  readonly id: string
  readonly offset: number
}

/** So much of an input is looked at before it is read. */
export const HEAD_BYTES = 256 * 1024

/** Of an archive with files, an empty one, one of several parts. */
const ZIP_MARKS = ['504b0304', '504b0506', '504b0708']

/** Looks at an input's first bytes and tells what it is. `-` is standard input. */
export async function openInput(name: string): Promise<Input> {
  const source = byteSource(name)
  const packed = await source.peek(HEAD_BYTES)
  const compression = compressionOf(packed)
  const bytes = compression === 'none' ? packed : await unpackedHead(name, packed, compression)
  const input = {
    ...{ name, compression, stats: source.stats, open: () => source.open() },
    ...(source.size && { canReopen: true as const, bytes: await source.size(), archive: source.archive }),
  }
  if (bytes.subarray(0, 4).toString('latin1') === 'PAR1') {
    refuseParquet(name, source, compression)
    return { ...input, format: 'parquet', hasBom: false, delimiter: ',', head: '' }
  }
  // By its whole mark: a CSV may well begin with PK, the name of a primary key.
  if (ZIP_MARKS.includes(bytes.subarray(0, 4).toString('hex'))) {
    throw unreadable(
      name,
      'It is a zip archive.',
      'Save it as a file whose name ends in .zip, or unpack it and load the folder.',
    )
  }
  if (isUtf16(bytes)) {
    throw unreadable(name, 'It is UTF-16.', toUtf8(name, 'UTF-16'))
  }
  const hasBom = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
  const text = bytes.subarray(hasBom ? 3 : 0).toString('utf8')
  if (text.trim() === '') throw unreadable(name, 'It is empty.', 'Check the export that made it.')
  if (/^sep=.?\r?\n/i.test(text)) {
    throw unreadable(
      `${name}:1`,
      'Its first line, sep=, is one for Excel: no other reader takes it.',
      'Remove that line; lpa finds out the delimiter by itself.',
    )
  }
  const isWhole = bytes.length < HEAD_BYTES
  const head = isWhole ? text : text.slice(0, Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r')) + 1)
  const first = text.trimStart()[0]
  const isLines = first === '{' || areMostlyJson(head)
  const format: TextFormat = first === '[' ? 'json' : isLines ? 'ndjson' : 'csv'
  const delimiter = format === 'csv' ? delimiterOf(text) : ','
  const spread = format === 'ndjson' && isSpread(text, isWhole)
  return { ...input, format, hasBom, head: (spread ? text : head) || text, delimiter, isSpread: spread }
}

/** Only mappings that say where inside such a value its records are can read it. */
export function spreadOverLines(name: string): UserError {
  return unreadable(
    name,
    'It is JSON over several lines, not one record a line.',
    'Make it one record a line: jq -c . FILE, or jq -c ".[]" for what is inside an array.',
  )
}

/** Data that no reader can take: exit 65. */
export function unreadable(where: string, message: string, next: string, cause?: unknown): UserError {
  return new UserError('LPA-INPUT-UNREADABLE', message, { exit: 'data', where, next, cause })
}

/** How to convert a file: what is not UTF-8 nor UTF-16 is mostly what Excel writes in the west of Europe. */
export function toUtf8(name: string, from: 'UTF-16' | 'WINDOWS-1252' = 'WINDOWS-1252'): string {
  const guess = from === 'UTF-16' ? '' : 'It may be Windows-1252 (Latin-1), as from Excel. '
  return `${guess}Convert it: iconv -f ${from} -t UTF-8 ${name === '-' ? '' : `"${name}" `}> utf8${/\.(json|ndjson|jsonl|tsv)$/i.exec(name)?.[0] ?? '.csv'}`
}

function refuseParquet(name: string, { stats }: ByteSource, compression: Compression): void {
  if (compression !== 'none') {
    throw unreadable(name, 'It is a compressed Parquet file, which none can read in place.', 'Unpack it.')
  }
  if (stats) return
  throw unreadable(name, 'Parquet cannot be read from a stream.', 'Save it as a file and name that.')
}

/** The first text of an archive. One that is cut off or damaged further on is found out when it is read. */
async function unpackedHead(name: string, packed: Buffer, compression: Compression): Promise<Buffer> {
  async function* once() {
    yield packed
  }
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of unpacked(once(), compression)) {
      chunks.push(chunk)
      length += chunk.length
      if (length >= HEAD_BYTES) break
    }
  } catch (cause) {
    if (!isArchiveError(cause)) throw cause
    if (length === 0) throw damagedArchive(name, cause)
  }
  return Buffer.concat(chunks).subarray(0, HEAD_BYTES)
}

function damagedArchive(name: string, cause: unknown): UserError {
  return unreadable(name, 'The archive is cut off or damaged.', 'Export or copy it again.', cause)
}

/** By its mark, or because every other byte is zero. */
function isUtf16(bytes: Buffer): boolean {
  if (bytes.length >= 2 && (bytes.readUInt16BE(0) === 0xfeff || bytes.readUInt16BE(0) === 0xfffe)) return true
  const some = bytes.subarray(0, 1000)
  return some.length > 3 && some.filter((byte) => byte === 0).length > some.length / 3
}

/** Whether no line is a record of its own, although there are several. */
function isSpread(text: string, isWhole: boolean): boolean {
  if (isWhole && text.trim().includes('\n') && isJson(text)) return true
  const lines = text.split(/\r?\n/, 21).filter((line) => line.trim() !== '')
  return lines.length > 1 && !lines.some((line) => /^\s*\{.*\}\s*$/.test(line) && isJson(line))
}

/** A log that begins with a line of another kind: of the first lines most are JSON. */
function areMostlyJson(head: string): boolean {
  const lines = head.split(/\r?\n/, 21).filter((line) => line.trim() !== '')
  return lines.filter((line) => /^\s*\{.*\}\s*$/.test(line) && isJson(line)).length * 2 > lines.length
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** The delimiter that the header line holds most of, outside quotes. */
function delimiterOf(text: string): string {
  const line = (/^[^\r\n]*/.exec(text.trimStart())?.[0] ?? '').replace(/"(?:[^"]|"")*"/g, '')
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
 * @throws UserError (data) for a broken archive, an archive bomb, or text that no reader could take.
 */
export async function readInput(input: Input, options: ReadOptions): Promise<Measure> {
  const hash = hasher()
  const counter =
    input.format === 'parquet' ? undefined : counterFor(input.format, input.delimiter, options.hasHeader)
  let rawBytes = 0
  async function* hashed() {
    for await (const chunk of input.open()) {
      hash.push(chunk)
      rawBytes += chunk.length
      options.onBytes?.(rawBytes)
      yield chunk
    }
  }
  const rewriter = input.rewrite?.()
  const give = async (text: Buffer) => {
    if (text.length === 0) return
    counter?.push(text)
    if (options.sink) await options.sink(text)
  }
  const isPacked = input.compression !== 'none'
  let textBytes = 0
  let mark = input.hasBom ? 3 : 0
  try {
    for await (const read of unpacked(hashed(), input.compression)) {
      options.signal.throwIfAborted()
      const chunk = mark === 0 ? read : read.subarray(mark)
      mark -= read.length - chunk.length
      textBytes += chunk.length
      if (isPacked && textBytes > BOMB_BYTES && textBytes > rawBytes * BOMB_RATIO) {
        throw unreadable(
          input.name,
          `It unpacks to more than ${BOMB_RATIO} times its size.`,
          'If that is meant, unpack it yourself and load the text.',
        )
      }
      await give(rewriter ? rewriter.push(chunk) : chunk)
    }
    if (rewriter) await give(rewriter.end())
  } catch (cause) {
    if (cause instanceof UserError || options.signal.aborted) throw cause
    if (isPacked && isArchiveError(cause)) throw damagedArchive(input.name, cause)
    throw cause
  }
  const counted = counter?.end()
  if (counted?.badLine) {
    throw new UserError('LPA-INPUT-BROKEN', `There is ${counted.badLine.why}.`, {
      exit: 'data',
      where: `${input.name}:${counted.badLine.line}`,
      next: 'Mend or remove that line.',
    })
  }
  return { ...NOTHING_COUNTED, ...counted, ...hash.end() }
}

/** Parquet has no lines: its engine counts. */
const NOTHING_COUNTED: Omit<Measure, 'sha256' | 'bytes'> = {
  records: 0,
  lineOf: (record) => record,
  recordAt: (line) => line,
  blankLines: 0,
  beginsBlank: false,
  hasCarriageReturns: false,
  tooLong: [],
}

/** @throws UserError when a file is not what it was when it was recognised. */
export function assertUnchanged(input: Input): void {
  const { path, stats } = input.archive ?? { path: input.name, stats: input.stats }
  if (!stats) return
  const now = statSync(path, { throwIfNoEntry: false })
  const { size, ino, mtimeMs } = stats
  if (now?.size !== size || now.ino !== ino || now.mtimeMs !== mtimeMs) {
    throw unreadable(input.name, 'It changed while it was read.', 'Load it again when it is complete.')
  }
}

/** The SHA-256 of an input's bytes as they lie. */
export async function hashInput(input: Input): Promise<string> {
  const hash = hasher()
  for await (const chunk of input.open()) hash.push(chunk)
  return hash.end().sha256
}

/** The SHA-256 of an input's first bytes as they lie, for each number of them; none where it has fewer. */
export async function prefixHashes(
  input: Input,
  sizes: readonly number[],
): Promise<ReadonlyMap<number, string>> {
  const hashes = new Map<number, string>()
  const wanted = [...new Set(sizes)].sort((a, b) => a - b)
  if (wanted.length === 0) return hashes
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of input.open()) {
    let begin = 0
    while (wanted[0] !== undefined && wanted[0] <= bytes + chunk.length) {
      const size = wanted.shift() as number
      hash.update(chunk.subarray(begin, size - bytes))
      begin = size - bytes
      hashes.set(size, hash.copy().digest('hex'))
    }
    if (wanted.length === 0) break
    hash.update(chunk.subarray(begin))
    bytes += chunk.length
  }
  return hashes
}
