/**
 * Reads an input twice at once: the engine's stage one, and the independent count beside it. A plain file is read by
 * its own path, everything else through a pipe, so that no text is ever copied to disk.
 */

import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, rmSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { quoteText } from '../duckdb.ts'
import { UserError } from '../errors.ts'
import { assertUnchanged, type Input, readInput, unreadable } from './input.ts'
import type { Measure } from './measure.ts'
import { pathSql } from './path-sql.ts'
import { plainCsv } from './plain-csv.ts'
import { type BrokenRow, type ReadingKind, type StageOneResult, TOO_LONG } from './stage-one.ts'

export interface ReadRequest {
  readonly input: Input
  readonly hasHeader: boolean
  /** A private folder, for the pipe. */
  readonly folder: string
  readonly signal: AbortSignal
  readonly onBytes?: ((bytes: number, total: number | undefined) => void) | undefined
  /** Runs stage one over the text at a path, which comes as SQL. */
  readonly engineRead: (text: {
    pathSql: string
    how: ReadingKind
    signal: AbortSignal
  }) => Promise<StageOneResult>
}

export interface Reading {
  readonly measure: Measure
  /** Records that stage one wrote. */
  readonly written: number
  readonly broken: readonly BrokenRow[]
  /** Why the engine could not read the text at all. */
  readonly failure?: UserError
}

/** @throws UserError (data) when what was read and what was counted differ. */
export async function readTwice(request: ReadRequest): Promise<Reading> {
  const { input, signal } = request
  try {
    const reading = await bestReading(request)
    if (reading.failure) throw reading.failure
    assertUnchanged(input)
    assertCounted(input, reading)
    return reading
  } catch (error) {
    // What is wrong with a file that changes meanwhile is that it changes.
    if (!signal.aborted && error instanceof UserError && error.exit === 'data') assertUnchanged(input)
    throw error
  }
}

async function bestReading(request: ReadRequest): Promise<Reading> {
  const { format, stats, compression, hasBom, rewrite } = request.input
  if (format === 'parquet') return inPlace(request, 'as it is')
  const isPlain = stats && compression === 'none' && !hasBom && !rewrite
  if (format === 'csv' && !isPlain) return piped(request, 'plain')
  const read = isPlain ? inPlace : piped
  const reading = await read(request, 'as it is')
  if (!stats || isTrusted(request.input, reading)) return reading
  // The second reading costs its time only where the first cannot be trusted.
  return format === 'csv' ? piped(request, 'plain') : read(request, 'in order')
}

/** Whether the engine took the text as it is: see plain-csv.ts. */
function isTrusted({ format }: Input, { measure, written, broken, failure }: Reading): boolean {
  if (failure || written + broken.length !== measure.records) return false
  if (format !== 'csv' || measure.blankLines === 0) return true
  return broken.length === 0 && !measure.beginsBlank && !measure.hasCarriageReturns
}

function assertCounted({ name }: Input, { measure, written, broken }: Reading): void {
  const read = written + broken.length
  if (read === measure.records) return
  throw unreadable(
    name,
    `It holds ${measure.records} records by lpa's own count, and the engine read ${read}.`,
    'Check its quotes, line ends and encoding. Nothing was loaded.',
  )
}

async function inPlace(request: ReadRequest, how: ReadingKind): Promise<Reading> {
  const { input } = request
  const stop = new AbortController()
  const signal = AbortSignal.any([request.signal, stop.signal])
  const engine = request.engineRead({ pathSql: pathSql(input.name), how, signal })
  return reconcile(request, stop, engine, readInput(input, readOptions(request, signal)))
}

async function piped(request: ReadRequest, how: ReadingKind): Promise<Reading> {
  const { input, folder } = request
  const stop = new AbortController()
  const signal = AbortSignal.any([request.signal, stop.signal])
  const path = join(folder, 'text')
  makePipe(path)
  const pipe = open(path, 'w')
  const engine = request.engineRead({ pathSql: quoteText(path), how, signal })
  // An engine that fails before it opens the pipe would leave its writer waiting for a reader.
  engine.catch(async () => {
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    await pipe.catch(() => {})
    closeSync(reader)
  })
  const rewrite = how === 'plain' ? plainCsv(input.delimiter) : undefined
  try {
    return await reconcile(request, stop, engine, feed(request, await pipe, signal, rewrite))
  } finally {
    rmSync(path, { force: true })
  }
}

/** Hands the text on to the pipe; goes on counting when nobody takes it any more. */
async function feed(
  request: ReadRequest,
  pipe: FileHandle,
  signal: AbortSignal,
  rewrite: ((chunk: Buffer) => Buffer) | undefined,
): Promise<Measure> {
  let isTaken = true
  const sink = async (chunk: Buffer) => {
    if (!isTaken) return
    const text = rewrite ? rewrite(chunk) : chunk
    try {
      for (let at = 0; at < text.length; ) at += (await pipe.write(text, at)).bytesWritten
    } catch (error) {
      if ((error as { code?: string }).code !== 'EPIPE') throw error
      isTaken = false
    }
  }
  try {
    return await readInput(request.input, { ...readOptions(request, signal), sink })
  } finally {
    await pipe.close()
  }
}

function readOptions({ input, hasHeader, onBytes }: ReadRequest, signal: AbortSignal) {
  const total = input.stats?.size
  return { hasHeader, signal, onBytes: (bytes: number) => onBytes?.(bytes, total) }
}

/**
 * Waits for both. What the count finds wrong explains best why an engine failed, so a file is counted to its end even
 * then; nobody waits for the end of a stream.
 */
async function reconcile(
  { input, signal }: ReadRequest,
  stop: AbortController,
  engine: Promise<StageOneResult>,
  count: Promise<Measure>,
): Promise<Reading> {
  let cause: unknown
  const end = (error: unknown) => {
    cause ??= error
    stop.abort()
  }
  count.catch(end)
  engine.catch((error) => {
    if (!input.stats || !isUnread(error)) end(error)
  })
  const [counted, staged] = await Promise.allSettled([count, engine])
  signal.throwIfAborted()
  if (counted.status === 'rejected') {
    const isKnown = counted.reason instanceof UserError && !(cause instanceof UserError && !isUnread(cause))
    throw isKnown ? counted.reason : cause
  }
  let measure = counted.value
  if (staged.status === 'fulfilled') {
    const { written, records } = staged.value
    if (records !== undefined) measure = { ...measure, records }
    return { measure, written, broken: brokenRecords(input, measure, staged.value) }
  }
  if (!isUnread(staged.reason)) throw staged.reason
  return { measure, written: 0, broken: [], failure: staged.reason }
}

function isUnread(error: unknown): error is UserError {
  return error instanceof UserError && error.code === 'LPA-INPUT-BROKEN'
}

/** Rows that could not be read, by their numbers among the records. */
function brokenRecords(
  { format }: Input,
  measure: Measure,
  { written, broken }: StageOneResult,
): readonly BrokenRow[] {
  const tooLong = new Set(measure.tooLong)
  const found = broken.map((row) => {
    const record = format === 'ndjson' ? measure.recordAt(row.record) : row.record
    return { ...row, ...(tooLong.has(record) ? TOO_LONG : {}), record }
  })
  if (written + found.length === measure.records) return found
  // The engine passes over records that are longer than its buffer without a word.
  const known = new Set(found.map(({ record }) => record))
  for (const record of tooLong) if (!known.has(record)) found.push({ record, ...TOO_LONG })
  return found.sort((a, b) => a.record - b.record)
}

function makePipe(path: string): void {
  rmSync(path, { force: true })
  try {
    execFileSync('mkfifo', ['-m', '600', path])
  } catch (cause) {
    throw new UserError('LPA-INPUT-PIPE', 'This system has no named pipes (mkfifo).', {
      exit: 'unavailable',
      next: 'Unpack the file and load it by its name.',
      cause,
    })
  }
}
