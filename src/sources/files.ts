/** Files, globs, folders and standard input: from what the user named to staged batches. */

import { accessSync, constants, globSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { access, glob } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../errors.ts'
import type { PseudonymKey } from '../pseudonym.ts'
import { maskEmails } from '../secrets.ts'
import type { Batch } from '../types.ts'
import { looksPersonal } from './engine-failure.ts'
import type { ErasedPeople } from './erased.ts'
import { withExportKind } from './export-by.ts'
import { type Field, fieldsOf, type TableColumns } from './fields.ts'
import { holdsRecords, withInnerRecords } from './inner-records.ts'
import { type Input, openInput, spreadOverLines, unreadable } from './input.ts'
import { type Mapping, packagedMappings, readMapping } from './mapping.ts'
import { namedColumns } from './named-columns.ts'
import { findPersonalLook } from './personal-look.ts'
import { JSON_COLUMNS } from './prepare-mapping.ts'
import { readTwice } from './reading.ts'
import { type Head, headOf, leftOutKeys, recogniseMappings } from './recognise.ts'
import { lookLikeNames, shownNames } from './shown-names.ts'
import { recordsSql } from './source-sql.ts'
import type { LinesOnSpark } from './spark/read.ts'
import { groupRows, type OnPersonal, stageOne } from './stage-one.ts'
import { type StageTwoResult, stageTwo } from './stage-two.ts'
import { filesInZip, isZip, zipEntryOf } from './zip.ts'

export interface FileRequest {
  readonly entity?: string | undefined
  /** Mapping names or files; none: recognised from the content. */
  readonly mappings: readonly string[]
  readonly source: string
  readonly idSpace: string
  readonly key: PseudonymKey
  /** Who is not to come back. */
  readonly erased: ErasedPeople
  /** `refuse` unless said; of records that never were a file only. */
  readonly personal?: OnPersonal
  readonly timezone: string
  readonly memoryLimit: string
  readonly threads?: number | undefined
  /** A private folder for staged files, on the warehouse's file system. */
  readonly scratch: string
  /** Of staged files: what the warehouse reads; `v2` unless said. */
  readonly parquetVersion?: 'v1' | 'v2' | undefined
  readonly nextLoadId: () => Promise<number>
  /** Of what is read again in place of an earlier load: when that began, which goes on to date what has no time. */
  readonly firstLoadedAt?: string | undefined
  readonly signal: AbortSignal
  readonly onBytes?: (bytes: number, total: number | undefined) => void
  /** Where stage one runs, when not here. */
  readonly spark?: LinesOnSpark | undefined
}

/** An input that was recognised and not yet read. */
export interface RecognisedFile {
  readonly input: Input
  /** None where nothing of it is loaded. */
  readonly mappings: readonly Mapping[]
  /** How each mapping reads it. */
  readonly outlines: ReadonlyMap<Mapping, Outline>
}

/** An input as a mapping sees it: its records, the first of them, and what is read of each. */
interface Outline extends Opened {
  readonly fields: readonly Field[]
}

interface Opened {
  readonly input: Input
  readonly head: Head
}

export interface StagedFile {
  readonly mapping: Mapping
  readonly batch: Batch
  readonly reasons: StageTwoResult['reasons']
  readonly undated: StageTwoResult['undated']
  /** Columns or top-level keys of the input that the mapping leaves out. */
  readonly leftOut: readonly string[]
}

/** So little is read sooner by one thread: to plan is most of the work, and threads wait for one another meanwhile. */
const FEW_BYTES = 1024 * 1024

/** Not what copies and downloads are called until they are complete: .part, .tmp, .crdownload, name~ */
const DATA_FILE = /\.(csv|tsv|txt|json|ndjson|jsonl|parquet)(\.(gz|zst))?$/i

const WHAT_IS_DATA =
  'Data has a name that ends in .csv, .tsv, .txt, .json, .ndjson, .jsonl or .parquet (also .gz, .zst).'

/**
 * Paths named by files, globs and folders, in order, each once. `-` stays itself. A pipe is read when it is named, but
 * none is waited for that only lies in a folder.
 * @throws UserError for a name without a file, a link to nowhere, what is no file (noInput), an address (usage)
 */
export function findFiles(names: readonly string[]): string[] {
  const found = names.flatMap((name) => {
    if (name === '-' || zipEntryOf(name)) return [name]
    const stats = statSync(name, { throwIfNoEntry: false })
    if (stats) return stats.isDirectory() ? someFilesIn(name) : [name]
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(name)) {
      throw new UserError('LPA-INPUT-ADDRESS', 'An address is loaded by the name of its source.', {
        exit: 'usage',
        next: [
          'Add to lpa.toml [sources.NAME] with uri = "https://…", then: lpa load NAME',
          'What one address answers once: curl -sS ADDRESS | lpa load -',
        ],
      })
    }
    const matches = globSync(name).sort()
    const files = matches.flatMap((path) => (isFolder(path) ? filesIn(path) : [assertFile(path)]))
    if (files.length > 0) return files
    throw new UserError('LPA-INPUT-MISSING', `${name}: there is no such file.`, {
      exit: 'noInput',
      next: 'Check the path. Patterns go in quotes: lpa load "exports/*.csv.gz"',
    })
  })
  return [...new Set(found)]
}

function someFilesIn(folder: string): string[] {
  const files = filesIn(folder)
  if (files.length > 0) return files
  throw new UserError('LPA-INPUT-MISSING', `${folder}: there is no data in this folder.`, {
    exit: 'noInput',
    next: WHAT_IS_DATA,
  })
}

/** Folders are walked whatever their name. */
function filesIn(folder: string): string[] {
  const paths = globSync('**/*', { cwd: folder }).map((name) => join(folder, name))
  // It passes over folders that it may not read: what is in them would be missing without a word.
  for (const path of [folder, ...paths.filter(isFolder)]) accessSync(path, constants.R_OK | constants.X_OK)
  return paths
    .filter((path) => DATA_FILE.test(path) && !isFolder(path))
    .map(assertFile)
    .sort()
}

/** Archives in a folder: they are loaded when they are named, not with it. */
export function archivesIn(folder: string): string[] {
  if (!isFolder(folder)) return []
  const paths = globSync('**/*', { cwd: folder }).map((name) => join(folder, name))
  return paths.filter(isZip).sort()
}

/** Data files of a directory that is looked at again and again, none of whose answers may block; and the folders they may be in. */
export async function dataFilesIn(folder: string): Promise<{ files: string[]; folders: string[] }> {
  await access(folder, constants.R_OK | constants.X_OK)
  const [files, folders] = [[] as string[], [folder]]
  for await (const entry of glob('**/*', { cwd: folder, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isDirectory()) {
      await access(path, constants.R_OK | constants.X_OK)
      folders.push(path)
    } else if (DATA_FILE.test(entry.name)) files.push(path)
  }
  return { files: files.sort(), folders }
}

/**
 * What a path brings: of a zip archive the data files inside, else itself.
 * @throws UserError (data) for an archive that cannot be read or holds no data
 */
export async function filesOf(path: string): Promise<string[]> {
  if (!isZip(path)) return [path]
  const names = await filesInZip(path, (name) => DATA_FILE.test(name))
  if (names.length > 0) return names.map((name) => `${path}/${name}`)
  const next = (await hasArchives(path))
    ? 'There are archives in it: unpack it, and load those.'
    : WHAT_IS_DATA
  throw unreadable(path, 'There is no data in this archive.', next)
}

/** Whether archives lie in an archive, which nobody looks into. */
export async function hasArchives(path: string): Promise<boolean> {
  return isZip(path) && (await filesInZip(path, (name) => /\.zip$/i.test(name))).length > 0
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

function assertFile(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats?.isFile()) return path
  const what = stats ? 'it is a pipe, a socket or a device' : 'it is a link to a file that is not there'
  throw new UserError('LPA-INPUT-MISSING', `${path}: ${what}.`, {
    exit: 'noInput',
    next: 'Take it away, or name the files to load one by one.',
  })
}

/**
 * Looks at a file and finds its mapping, without reading further than its first 256 KB.
 * @throws UserError when it is unreadable, matches no mapping, or holds columns that look personal.
 */
export async function recogniseFile(
  name: string,
  request: Pick<FileRequest, 'mappings' | 'entity'>,
): Promise<RecognisedFile> {
  return recogniseInput(await openInput(name), request)
}

/** The same for an input that was opened. */
export async function recogniseInput(
  input: Input,
  request: Pick<FileRequest, 'mappings' | 'entity' | 'personal'>,
): Promise<RecognisedFile> {
  const { name } = input
  const named = request.mappings.map(readMapping)
  const hasHeader = named[0]?.hasHeader ?? true
  if (named.some((mapping) => mapping.hasHeader !== hasHeader)) {
    throw new UserError('LPA-MAPPING-HEADER', 'Some of the mappings say "-- header: none", others do not.', {
      exit: 'config',
      where: name,
      next: 'Say the same in all of them.',
    })
  }
  const opened = new OpenedInputs(input, hasHeader)
  const whole = await opened.whole()
  for (const mapping of named.length > 0 ? named : packagedMappings()) await opened.by(mapping)
  const keysIn = (records: Mapping['records']) => opened.known({ records }).head.keys
  const found = named.length > 0 ? named : recogniseMappings(input, keysIn, request.entity)
  const mappings = await Promise.all(found.map((mapping) => withExportKind(mapping, input)))
  const outlines = new Map<Mapping, Outline>()
  for (const mapping of mappings) {
    if (input.isSpread && !mapping.records) throw spreadOverLines(name)
    const { input: records, head } = isJson(input) ? opened.known(mapping) : whole
    const fields = fieldsOf(mapping, await columnsOf(input, head, mapping))
    if (fields.length === 0 && isJson(input)) {
      throw new UserError('LPA-MAPPING-SQL', `It names nothing of the JSON records of ${maskEmails(name)}.`, {
        exit: 'config',
        where: mapping.path,
        next: [`List what the SELECT reads: ${JSON_COLUMNS}`, `In the records: ${shownNames(head.keys)}`],
      })
    }
    // Records are looked at one by one later: here only what the mapping itself names.
    const isRefused = (request.personal ?? 'refuse') === 'refuse'
    const look = findPersonalLook(fields, isRefused ? head : { values: () => [] })
    if (look) throw looksPersonal(name, mapping, look.column, look.why)
    outlines.set(mapping, { input: records, head, fields })
  }
  return { input, mappings, outlines }
}

/** An input as it is, and with the records inside its values; each is looked at once. */
class OpenedInputs {
  readonly #input: Input
  readonly #hasHeader: boolean
  readonly #opened = new Map<string, Opened>()

  constructor(input: Input, hasHeader: boolean) {
    this.#input = input
    this.#hasHeader = hasHeader
  }

  whole(): Promise<Opened> {
    return this.#at('', this.#input)
  }

  async by({ records, recordsIfFirst }: Mapping): Promise<void> {
    if (!records || !isJson(this.#input)) return
    const isInside = !recordsIfFirst || this.#mayMix() || holdsRecords(this.#input, records)
    if (isInside) await this.#at(placeOf(records), withInnerRecords(this.#input, records))
  }

  known({ records }: Pick<Mapping, 'records'>): Opened {
    return (this.#opened.get(placeOf(records)) ?? this.#opened.get('')) as Opened
  }

  /** The first of messages tells nothing of others, and of what goes over several lines none can be read as it is. */
  #mayMix(): boolean {
    return this.#input.places !== undefined || this.#input.isSpread === true
  }

  async #at(place: string, input: Input): Promise<Opened> {
    const known = this.#opened.get(place)
    if (known) return known
    const opened = { input, head: await headOf(input, this.#hasHeader) }
    this.#opened.set(place, opened)
    return opened
  }
}

function placeOf(records: Mapping['records']): string {
  return records ? JSON.stringify(records) : ''
}

function isJson({ format }: Input): boolean {
  return format === 'json' || format === 'ndjson'
}

/** The columns of a table; undefined for JSON, whose records have what they have. */
async function columnsOf(
  { format }: Input,
  { header }: Head,
  mapping: Mapping,
): Promise<TableColumns | undefined> {
  if (format !== 'csv' && format !== 'parquet') return undefined
  return { header, named: mapping.columns ? [] : await namedColumns(mapping, header) }
}

/**
 * Reads a recognised file and stages what it holds: one batch a mapping. Nothing is committed.
 * @throws UserError (data) when what was read and what was counted differ.
 */
export async function stageFile(file: RecognisedFile, request: FileRequest): Promise<StagedFile[]> {
  const { input, mappings } = file
  if (mappings.length > 1 && !input.stats && !input.canReopen) {
    const entities = mappings.map(({ entity }) => entity).join(', ')
    throw new UserError('LPA-LOAD-STREAM-ONCE', 'A stream can be read once: by one mapping only.', {
      exit: 'usage',
      next: [
        `Save it to a file that only you can read, from which all of these come: ${entities}`,
        'Or name one of them: --as ENTITY, or one --mapping',
      ],
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
    discardStaged(request.scratch, loadIds)
    throw error
  }
}

async function stageMapping(
  { outlines }: RecognisedFile,
  mapping: Mapping,
  loadId: number,
  request: FileRequest,
): Promise<StagedFile> {
  const startedAt = new Date().toISOString()
  const folder = stagedFolder(request.scratch, loadId)
  const { input, head, fields } = outlines.get(mapping) as Outline
  const { header } = head
  const { signal, timezone, memoryLimit, key, erased, idSpace, source, personal = 'refuse' } = request
  const isSmall = (input.stats?.size ?? input.bytes ?? FEW_BYTES) < FEW_BYTES
  const threads = isSmall ? 1 : request.threads
  const first = join(folder, 'first')
  mkdirSync(first, { recursive: true })
  const shared = { header, mapping, fields, key, idSpace, memoryLimit }
  const readHere = (input: Input, target: string) =>
    readTwice({
      ...{ input, folder: first, signal },
      hasHeader: mapping.hasHeader,
      onBytes: request.spark ? undefined : request.onBytes,
      engineRead: (text) =>
        stageOne({
          ...{ ...shared, input, erased, personal, timezone, threads, target },
          pathSql: text.pathSql,
          how: text.how,
          signal: text.signal,
        }),
    })
  const file = join(first, 'records.parquet')
  const readThere = async (spark: LinesOnSpark) => {
    const { readOnSpark } = await import('./spark/read.ts')
    const { onBytes } = request
    return readOnSpark(spark, { ...shared, input, folder: first, signal, onBytes, stageOdd: readHere })
  }
  const { measure, broken, records } = request.spark
    ? await readThere(request.spark)
    : { ...(await readHere(input, file)), records: recordsSql(file) }
  const uri = input.name === '-' ? 'stdin' : maskEmails(input.name)
  const two = await stageTwo({
    ...{ mapping, fields, header, records, folder, loadId, uri, timezone, threads, broken, signal },
    ...{ source, idSpace, memoryLimit },
    format: mapping.name,
    contentSha256: measure.sha256,
    loadedAt: request.firstLoadedAt ?? startedAt,
    requeuedAt: request.firstLoadedAt && startedAt,
    lineOf: measure.lineOf,
    placeOf: input.placeOf ?? ((line) => `${uri}:${line}`),
    places: input.places,
    mayComeAgain: input.cursor !== undefined && mapping.export !== 'snapshot',
    mayBeErased: erased.hashes.length > 0,
    groupRows: groupRows(input),
    parquetVersion: request.parquetVersion ?? 'v2',
  })
  rmSync(first, { recursive: true })
  return {
    mapping,
    reasons: two.reasons,
    undated: two.undated,
    leftOut: shownLeftOut(head, fields),
    batch: {
      files: two.files,
      cursor: input.cursor?.(),
      load: {
        ...{ loadId, uri, source },
        startedAt: request.firstLoadedAt ?? startedAt,
        format: mapping.name,
        contentSha256: measure.sha256,
        bytes: measure.bytes,
        counts: two.counts,
        mappingSha256: mapping.sha256,
        keyId: key.id,
        entities: { [mapping.entity]: two.rows },
      },
    },
  }
}

/** Their number only, where the file's names may be values. */
function shownLeftOut(head: Head, fields: readonly Field[]): string[] {
  const names = leftOutKeys(head, fields)
  if (names.length === 0 || lookLikeNames(head.keys)) return names
  return [`${names.length} names, not shown: some look like values`]
}

/** Takes the staged files of loads away, if they were not committed. */
export function discardStaged(scratch: string, loadIds: readonly number[]): void {
  for (const loadId of loadIds) rmSync(stagedFolder(scratch, loadId), { recursive: true, force: true })
}

export function loadIdsOf(staged: readonly StagedFile[]): number[] {
  return staged.map(({ batch }) => batch.load.loadId)
}

/** Its name tells whose it is, so that the next run can clear up after one that was killed. */
export function stagedFolder(scratch: string, loadId: number): string {
  return join(scratch, `load-${loadId}-${process.pid}`)
}
