/** Files, globs, folders and standard input: from what the user named to staged batches. */

import { execFileSync } from 'node:child_process'
import { closeSync, constants, globSync, mkdirSync, openSync, rmSync, statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { openDuckDB, quoteText, readRows } from '../duckdb.ts'
import { UserError } from '../errors.ts'
import type { PseudonymKey } from '../pseudonym.ts'
import type { Batch } from '../types.ts'
import { csvHead } from './csv-head.ts'
import { type Input, openInput, readInput, unreadable } from './input.ts'
import { ENTITIES, type Entity, type Mapping, packagedMappings, readMapping } from './mapping.ts'
import type { Measure } from './measure.ts'
import { findPersonalLook } from './personal-look.ts'
import { type Field, fieldsOf, looksPersonal, stageOne } from './stage-one.ts'
import { type StageTwoResult, stageTwo } from './stage-two.ts'

export interface FileRequest {
  readonly entity?: string | undefined
  /** Mapping names or files; none: recognised from the content. */
  readonly mappings: readonly string[]
  readonly source: string
  readonly idSpace: string
  readonly key: PseudonymKey
  readonly timezone: string
  readonly memoryLimit: string
  readonly threads?: number | undefined
  /** A private folder for staged files, on the warehouse's file system. */
  readonly scratch: string
  readonly nextLoadId: () => Promise<number>
  readonly signal: AbortSignal
  readonly onBytes?: (bytes: number, total: number | undefined) => void
}

/** An input that was recognised and not yet read. */
export interface RecognisedFile {
  readonly input: Input
  readonly header: readonly string[]
  readonly mappings: readonly Mapping[]
}

export interface StagedFile {
  readonly mapping: Mapping
  readonly batch: Batch
  readonly reasons: StageTwoResult['reasons']
  /** Columns or top-level keys of the input that the mapping leaves out. */
  readonly leftOut: readonly string[]
}

const DATA_FILE = /\.(csv|tsv|txt|json|ndjson|jsonl|parquet)(\.(gz|zst))?$/i

/** Paths named by files, globs and folders, in order, each once. `-` stays itself. */
export function findFiles(names: readonly string[]): string[] {
  const found = names.flatMap((name) => {
    if (name === '-') return [name]
    const stats = statSync(name, { throwIfNoEntry: false })
    if (stats?.isDirectory()) {
      return globSync('**/*', { cwd: name })
        .filter((file) => DATA_FILE.test(file))
        .map((file) => join(name, file))
        .sort()
    }
    if (stats) return [name]
    const matches = globSync(name).sort()
    if (matches.length > 0) return matches
    throw new UserError('LPA-INPUT-MISSING', `${name}: there is no such file.`, {
      exit: 'noInput',
      next: 'Check the path. Patterns go in quotes: lpa load "exports/*.csv.gz"',
    })
  })
  return [...new Set(found)]
}

/**
 * Looks at a file and finds its mapping, without reading further than its first 256 KB.
 * @throws UserError when it is unreadable, matches no mapping, or holds columns that look personal.
 */
export async function recogniseFile(name: string, request: FileRequest): Promise<RecognisedFile> {
  const input = await openInput(name)
  const named = request.mappings.map(readMapping)
  const header = await headerOf(input, named[0]?.hasHeader ?? true)
  const keys = input.format === 'csv' || input.format === 'parquet' ? header : headKeys(input)
  const mappings = named.length > 0 ? named : [recognise(name, keys, request.entity)]
  for (const mapping of mappings) {
    const fields = fieldsOf(
      mapping,
      input.format === 'csv' || input.format === 'parquet' ? header : undefined,
    )
    const look = findPersonalLook(fields, mapping.notPersonal, sampleValues(input, fields, header))
    if (look) throw looksPersonal(name, mapping, look.column, look.why)
  }
  return { input, header, mappings }
}

/**
 * Reads a recognised file and stages what it holds: one batch a mapping. Nothing is committed.
 * @throws UserError (data) when what was read and what was counted differ.
 */
export async function stageFile(file: RecognisedFile, request: FileRequest): Promise<StagedFile[]> {
  const { input, mappings } = file
  if (mappings.length > 1 && input.name === '-') {
    throw new UserError('LPA-LOAD-STDIN-ONCE', 'Standard input can be read once: one --mapping only.', {
      exit: 'usage',
      next: 'Save it to a file that only you can read, or run lpa load once a mapping.',
    })
  }
  const staged: StagedFile[] = []
  const loadIds: number[] = []
  try {
    for (const mapping of mappings) {
      const loadId = await request.nextLoadId()
      loadIds.push(loadId)
      staged.push(await stageMapping(file, mapping, loadId, request))
    }
    return staged
  } catch (error) {
    for (const loadId of loadIds) discardStaged(request.scratch, loadId)
    throw error
  }
}

async function stageMapping(
  { input, header }: RecognisedFile,
  mapping: Mapping,
  loadId: number,
  request: FileRequest,
): Promise<StagedFile> {
  const startedAt = new Date().toISOString()
  const isTable = input.format === 'csv' || input.format === 'parquet'
  const folder = stagedFolder(request.scratch, loadId)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const fields = fieldsOf(mapping, isTable ? header : undefined)
  const records = join(folder, 'records.parquet')
  const { signal, timezone, threads } = request

  const { measure, one } = await readTwice(
    input,
    mapping.hasHeader,
    folder,
    request,
    (textPath, stageSignal) =>
      stageOne({
        ...{
          input,
          textPath,
          header,
          mapping,
          fields,
          timezone,
          threads,
          target: records,
          signal: stageSignal,
        },
        key: request.key,
        idSpace: request.idSpace,
      }),
  )
  const read = one.written + one.broken.length
  if (input.format !== 'parquet' && read !== measure.records) {
    throw unreadable(
      input.name,
      `It holds ${measure.records} records by lpa's own count, and the engine read ${read}.`,
      'Check its quotes, line ends and encoding. Nothing was loaded.',
    )
  }
  const uri = input.name === '-' ? 'stdin' : input.name
  // DuckDB counts a header line among the rows; records count from the first row of data.
  const broken = one.broken.map((row) => ({ ...row, record: row.record - (mapping.hasHeader ? 1 : 0) }))
  const two = await stageTwo({
    ...{ mapping, fields, header, records, folder, loadId, uri, timezone, threads, broken, signal },
    source: request.source,
    idSpace: request.idSpace,
    format: mapping.name,
    contentSha256: measure.sha256,
    loadedAt: startedAt,
    memoryLimit: request.memoryLimit,
    lineOf: measure.lineOf,
  })
  rmSync(records)
  return {
    mapping,
    reasons: two.reasons,
    leftOut: leftOut(input, header, fields),
    batch: {
      files: two.files,
      position: { kind: 'file', contentSha256: measure.sha256 },
      load: {
        ...{ loadId, uri, startedAt },
        source: request.source,
        format: mapping.name,
        contentSha256: measure.sha256,
        bytes: measure.bytes,
        counts: two.counts,
        mappingSha256: mapping.sha256,
        keyId: request.key.id,
        entities: { [mapping.entity]: two.rows },
        supersedes: [],
      },
    },
  }
}

/** Takes the staged files of a load away, if they were not committed. */
export function discardStaged(scratch: string, loadId: number): void {
  rmSync(stagedFolder(scratch, loadId), { recursive: true, force: true })
}

/** Its name tells whose it is, so that the next run can clear up after one that was killed. */
function stagedFolder(scratch: string, loadId: number): string {
  return join(scratch, `load-${loadId}-${process.pid}`)
}

/**
 * Counts the input while the engine reads it: a plain file by its own path, everything else through a pipe, so
 * that no text is ever copied to disk.
 */
async function readTwice<T>(
  input: Input,
  hasHeader: boolean,
  folder: string,
  request: FileRequest,
  engineRead: (textPath: string, signal: AbortSignal) => Promise<T>,
): Promise<{ measure: Measure; one: T }> {
  const stop = new AbortController()
  const signal = AbortSignal.any([request.signal, stop.signal])
  const total = input.stats?.size
  const onBytes = (bytes: number) => request.onBytes?.(bytes, total)
  const isPlain = input.stats !== undefined && input.compression === 'none' && !input.hasBom
  if (isPlain) {
    const engine = engineRead(input.name, signal)
    const measured = readInput(input, { hasHeader, signal, onBytes })
    const [measure, one] = await firstFailure(stop, measured, engine)
    return { measure, one }
  }
  const pipe = join(folder, 'text')
  makePipe(pipe)
  try {
    const engine = engineRead(pipe, signal)
    const measured = feed(input, pipe, hasHeader, signal, onBytes)
    // An engine that fails before it opens the pipe would leave its writer waiting for a reader.
    engine.catch(() => closeSync(openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK)))
    const [measure, one] = await firstFailure(stop, measured, engine)
    return { measure, one }
  } finally {
    rmSync(pipe, { force: true })
  }
}

/** Both, or the first error after the other was stopped. */
async function firstFailure<A, B>(stop: AbortController, a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  const abort = (error: unknown) => {
    stop.abort(error)
    throw error
  }
  try {
    return await Promise.all([a.catch(abort), b.catch(abort)])
  } catch (error) {
    await Promise.allSettled([a, b])
    throw error
  }
}

async function feed(
  input: Input,
  pipe: string,
  hasHeader: boolean,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<Measure> {
  const handle = await open(pipe, 'w')
  try {
    const sink = async (chunk: Buffer) => {
      for (let at = 0; at < chunk.length; ) at += (await handle.write(chunk, at)).bytesWritten
    }
    return await readInput(input, { hasHeader, signal, sink, onBytes })
  } finally {
    await handle.close()
  }
}

function makePipe(path: string): void {
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

// ── recognising ───────────────────────────────────────────────────────────────────────────────────────────

async function headerOf(input: Input, hasHeader: boolean): Promise<string[]> {
  if (input.format === 'parquet') return parquetColumns(input.name)
  if (input.format !== 'csv') return []
  const first = csvHead(input.head, input.delimiter, 1)[0] ?? []
  if (!hasHeader) return first.map((_, index) => `column${index}`)
  const header = first.map((name) => name.trim())
  const twice = header.find((name, index) => header.indexOf(name) !== index)
  if (twice !== undefined) {
    throw unreadable(
      `${input.name}:1`,
      `the header names ${JSON.stringify(twice)} twice.`,
      'Name each column once.',
    )
  }
  return header
}

async function parquetColumns(path: string): Promise<string[]> {
  await using database = await openDuckDB({ memoryLimit: '300MB', spillFolder: '', timezone: 'UTC' })
  try {
    const rows = await readRows<{ column_name: string }>(
      database.connection,
      `describe select * from read_parquet(${quoteText(path)})`,
    )
    return rows.map((row) => row.column_name)
  } catch (cause) {
    throw unreadable(path, 'It is a damaged Parquet file.', 'Export or copy it again.', cause)
  }
}

/** The records of the head of a JSON input that can be parsed: clear values, never shown. */
function headRecords(input: Input): Record<string, unknown>[] {
  if (input.format === 'json') {
    const whole = tryParse(input.head)
    if (Array.isArray(whole)) return whole.slice(0, 200)
    return arrayHead(input.head)
  }
  return input.head
    .split('\n', 200)
    .map(tryParse)
    .filter((value) => typeof value === 'object' && value !== null) as Record<string, unknown>[]
}

/** The first elements of an array whose text is cut off. */
function arrayHead(text: string): Record<string, unknown>[] {
  for (let end = text.lastIndexOf('}'); end > 0; end = text.lastIndexOf('}', end - 1)) {
    const whole = tryParse(`${text.slice(0, end + 1)}]`)
    if (Array.isArray(whole)) return whole.slice(0, 200)
  }
  return []
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Paths of the first records, as `name` at the top level and `$.a.b` below. */
function headKeys(input: Input): string[] {
  const keys = new Set<string>()
  for (const record of headRecords(input).slice(0, 20)) {
    for (const [key, value] of Object.entries(record)) {
      keys.add(key)
      if (typeof value === 'object' && value !== null) {
        for (const inner of Object.keys(value)) keys.add(`$.${key}.${inner}`)
      }
    }
  }
  return [...keys]
}

function recognise(name: string, keys: readonly string[], entity: string | undefined): Mapping {
  if (entity !== undefined && !ENTITIES.includes(entity as Entity)) {
    throw new UserError('LPA-LOAD-ENTITY', `There is no entity "${entity}".`, {
      exit: 'usage',
      next: `Entities: ${ENTITIES.join(', ')}`,
    })
  }
  const has = new Set(keys.flatMap((key) => [key.toLowerCase(), `$.${key.toLowerCase()}`]))
  const fits = packagedMappings()
    .filter((mapping) => entity === undefined || mapping.entity === entity)
    .filter(({ recognise: needed }) => needed.length > 0 && needed.every((key) => has.has(key.toLowerCase())))
    .sort((a, b) => b.recognise.length - a.recognise.length)
  const [best] = fits
  if (best) return best
  throw new UserError('LPA-LOAD-UNRECOGNISED', `${name} fits no packaged mapping.`, {
    exit: 'data',
    where: name,
    next: [
      `Its columns: ${keys.slice(0, 20).join(', ') || '(none could be read)'}`,
      'Write a mapping (README, "Your own data") and name it: --mapping mine.sql',
    ],
  })
}

function sampleValues(
  input: Input,
  fields: readonly Field[],
  header: readonly string[],
): Map<string, string[]> {
  const samples = new Map<string, string[]>()
  if (input.format === 'csv') {
    const records = csvHead(input.head, input.delimiter).slice(1)
    for (const field of fields) {
      const index = header.indexOf(field.path[0] ?? field.name)
      if (index >= 0)
        samples.set(
          field.name,
          records.map((record) => record[index] ?? ''),
        )
    }
  } else if (input.format !== 'parquet') {
    const records = headRecords(input)
    for (const field of fields)
      samples.set(
        field.name,
        records.map((record) => textAt(record, field.path)),
      )
  }
  return samples
}

function textAt(record: unknown, path: readonly string[]): string {
  let value = record
  for (const key of path) value = (value as Record<string, unknown> | null | undefined)?.[key]
  return typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value)
}

function leftOut(input: Input, header: readonly string[], fields: readonly Field[]): string[] {
  const top = new Set(fields.map((field) => field.path[0] ?? field.name))
  const names =
    input.format === 'csv' || input.format === 'parquet'
      ? header
      : headKeys(input).filter((key) => !key.startsWith('$.'))
  return names.filter((name) => !top.has(name))
}
