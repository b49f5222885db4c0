/** load: from named inputs to raw and staging, by the load protocol (README, "What a load promises"). */

import { existsSync } from 'node:fs'
import { isApi } from '../config/api.ts'
import type { Config } from '../config.ts'
import { UserError } from '../errors.ts'
import { type PseudonymKey, readKey } from '../pseudonym.ts'
import { maskEmails } from '../secrets.ts'
import { bundleNotes } from '../sources/export-by.ts'
import {
  discardStaged,
  type FileRequest,
  filesOf,
  hasArchives,
  loadIdsOf,
  type RecognisedFile,
  recogniseFile,
  recogniseInput,
  type StagedFile,
  stageFile,
} from '../sources/files.ts'
import { type FirstRows, firstRowsTable, readFirstRows } from '../sources/first-rows.ts'
import { assertUnchanged, hashInput, type Input, openInput } from '../sources/input.ts'
import { fromRaw, type Mapping } from '../sources/mapping.ts'
import type { HowRead } from '../sources/spark/values.ts'
import type { Counts, Engine, Result } from '../types.ts'
import { assertNobodyErased, assertSameErased, readErased } from './erased.ts'
import { Growth } from './growth.ts'
import { ledgerRows, withoutColumns } from './ledger.ts'
import { type ApiOpening, openPlannedApi, refusePartOfSnapshot } from './load-api.ts'
import { type PlannedInput, passedOverNotes, planInputs, UNNAMED_SOURCE } from './load-inputs.ts'
import { assertRejects } from './reject-limit.ts'
import { type EarlierLoad, type Reload, readOtherLoads, reloadsOf } from './reload.ts'
import { addPart, loadsReplacedBy, partsNotes, type Snapshot, snapshotsOf } from './snapshots.ts'
import { withWarehouse } from './warehouse.ts'

export interface LoadRequest {
  /** Files, globs, folders, `-`, or names of sources in lpa.toml; none: all of those. */
  readonly inputs: readonly string[]
  readonly entity?: string | undefined
  readonly mappings: readonly string[]
  readonly source?: string | undefined
  /** Reads, maps and checks; commits nothing. Rejects over the limit are for `assertLoadable`. */
  readonly dryRun: boolean
  /** Reads HTTP APIs from their beginning, in place of what was loaded of them before. */
  readonly full?: boolean
  /** Where clear text is read, when not here. */
  readonly engine?: 'spark' | undefined
}

export interface LoadedMapping {
  readonly loadId: number
  readonly mapping: string
  readonly entity: string
  readonly rows: number
  /** By table that they went to. */
  readonly written: readonly { readonly table: string; readonly rows: number }[]
  readonly counts: Counts
  readonly reasons: StagedFile['reasons']
  readonly undated: StagedFile['undated']
  readonly leftOut: readonly string[]
  /** Of a dry run. */
  readonly firstRows?: FirstRows
}

export interface LoadedFile {
  readonly input: string
  readonly source: string
  readonly format: string
  /** `skipped`: a file of a known format of which nothing is loaded. */
  readonly outcome: 'loaded' | 'unchanged' | 'checked' | 'skipped'
  readonly mappings: readonly LoadedMapping[]
  /** Loads whose rows went, in order: of an older snapshot, or of this content by another mapping or under another key. */
  readonly replaced: readonly number[]
  readonly milliseconds: number
}

export interface LoadProgress {
  onFile(input: string, index: number, total: number): void
  onBytes(read: { readonly bytes: number; readonly totalBytes?: number }): void
  /** A finished file, as soon as it is committed. */
  onLoaded(file: LoadedFile): void
  /** How the inputs belong together, before any is loaded. */
  onNote(line: string): void
  /** What makes the numbers wrong: loads under another key. */
  onWarning(...lines: readonly [string, ...string[]]): void
}

/** One row a mapping, for people and programs. */
export function loadRows(files: readonly LoadedFile[]): Result {
  const areShown = files.some(({ mappings }) => mappings.some(({ firstRows }) => firstRows))
  const text = (name: string) => ({ name, type: 'text' as const })
  const integer = (name: string) => ({ name, type: 'integer' as const })
  return {
    columns: [
      ...[text('input'), text('format'), text('mapping'), text('outcome'), integer('load')],
      ...[integer('read'), integer('mapped'), integer('rejected'), integer('filtered'), integer('doubled')],
      { name: 'replaced', type: 'json' },
      ...(areShown ? [{ name: 'first_rows', type: 'json' as const }] : []),
    ],
    rows: files.flatMap(({ input, format, outcome, mappings, replaced }) =>
      mappings.length === 0
        ? [
            [
              ...[input, format, null, outcome, null, null, null, null, null, null, JSON.stringify(replaced)],
              ...(areShown ? [null] : []),
            ],
          ]
        : mappings.map(({ mapping, loadId, counts, firstRows }) => [
            ...[input, format, mapping, outcome, outcome === 'loaded' ? loadId : null],
            ...[counts.read, counts.mapped, counts.rejected, counts.filtered, counts.doubled],
            JSON.stringify(replaced),
            ...(areShown ? [firstRows ? JSON.stringify(firstRows) : null] : []),
          ]),
    ),
  }
}

/**
 * The same for people, as a table that fits 80 columns: the summary line tells filtered and doubled records, `lpa runs`
 * and `lpa rejects` the load's number; formats are left out where files' names tell them, outcomes where all are loaded.
 */
export function loadTable(files: readonly LoadedFile[]): Result {
  const leftOut = ['load', 'filtered', 'doubled', 'replaced', 'first_rows']
  if (files.every(nameTellsFormat)) leftOut.push('format')
  if (files.every(({ outcome }) => outcome === 'loaded')) leftOut.push('outcome')
  return withoutColumns(loadRows(files), leftOut)
}

/** Of a dry run: the first rows that each mapping makes of each input, a table each. */
export function firstRowTables(
  files: readonly LoadedFile[],
): { readonly title: string; readonly table: Result }[] {
  return files.flatMap(({ input, mappings }) =>
    mappings.flatMap(({ entity, firstRows }) =>
      firstRows && firstRows.rows.length > 0
        ? [{ title: `${input} as ${entity}:`, table: firstRowsTable(firstRows) }]
        : [],
    ),
  )
}

/** `events.ndjson.gz` is `ndjson.gzip`. */
function nameTellsFormat({ input, format }: LoadedFile): boolean {
  return input.toLowerCase().endsWith(`.${format.replace('gzip', 'gz').replace('zstd', 'zst')}`)
}

/** What people are told of a file: first and number of what was rejected for each reason, and which loads it replaces. */
export function loadNotes({ input, mappings, outcome, replaced }: LoadedFile): string[] {
  const fate = outcome === 'checked' ? '' : ', quarantined'
  const notes = mappings.flatMap(({ reasons }) =>
    reasons.map(({ first, reason, count }) => `${first}: ${reason} (${count} ×${fate})`),
  )
  if (replaced.length === 0) return notes
  const most = 10
  const more = replaced.length > most ? ` and ${replaced.length - most} more` : ''
  const loads = `${replaced.length === 1 ? 'load' : 'loads'} ${replaced.slice(0, most).join(', ')}${more}`
  return [...notes, `${input}: replaces ${loads}`]
}

/** `7 files: 12,000 records mapped, 9 rejected, 2 doubled; 2 files loaded before, nothing changed`. */
export function loadSummary(files: readonly LoadedFile[]): string {
  const mappings = files.flatMap((file) => file.mappings)
  const sum = (fate: keyof Counts) => mappings.reduce((total, { counts }) => total + counts[fate], 0)
  const said = (fate: keyof Counts) => sum(fate).toLocaleString('en')
  const unchanged = files.filter((file) => file.outcome === 'unchanged').length
  const skipped = files.filter((file) => file.outcome === 'skipped').length
  const read = files.length - unchanged - skipped
  const apis = files.filter(({ input }) => isApi(input)).length
  const name = apis === 0 ? 'file' : apis === files.length ? 'API' : 'input'
  const noun = (count: number) => (count === 1 ? name : `${name}s`)
  const parts = []
  if (read > 0) {
    const verb = files.some((file) => file.outcome === 'checked') ? 'would be mapped' : 'mapped'
    const others = (['filtered', 'doubled'] as const).filter((fate) => sum(fate) > 0)
    const fates = ['rejected' as const, ...others].map((fate) => `${said(fate)} ${fate}`)
    parts.push(
      `${read} ${noun(read)}: ${said('mapped')} ${sum('mapped') === 1 ? 'record' : 'records'} ${verb}, ${fates.join(', ')}`,
    )
  }
  const undated = mappings.reduce((total, mapping) => total + mapping.undated, 0)
  if (undated > 0)
    parts.push(
      `${undated.toLocaleString('en')} ${undated === 1 ? 'row tells' : 'rows tell'} no time of change: the last load wins`,
    )
  if (unchanged > 0)
    parts.push(
      noun(2) === 'files'
        ? `${unchanged} ${noun(unchanged)} loaded before, nothing changed`
        : `${unchanged} ${noun(unchanged)} without anything new`,
    )
  if (skipped > 0) parts.push(`${skipped} ${noun(skipped)} of which nothing is loaded`)
  return parts.join('; ')
}

/**
 * Loads every input, each in a transaction of its own: what was committed before an error stays. All of them are
 * recognised before the first is loaded, so that one that cannot be leaves everything as it was.
 * @throws UserError data (65) for a broken input or rejects over the limit, noInput (66), locked (75), …
 */
export async function load(
  config: Config,
  request: LoadRequest,
  signal: AbortSignal,
  progress: LoadProgress,
): Promise<LoadedFile[]> {
  const key = readKey(config.privacy.keyFile)
  const planned = await withArchives(planInputs(config, request), progress)
  for (const note of passedOverNotes(config, request)) progress.onNote(note)
  return withWarehouse(config, 'write', signal, async (engine) => {
    const erased = await readErased(engine, config.privacy.keyFile, key)
    if (request.engine) assertNobodyErased(erased)
    await using lines = request.engine && (await openLines(config, signal))
    const spark = lines && {
      write: lines.write,
      onOdd: (input: string, odd: number, records: number) =>
        progress.onNote(`${input}: ${odd} of ${records} records read here, not on Spark: not plain enough`),
    }
    const refuse = spark && (await import('../sources/spark/read.ts')).refuseOnSpark
    const outlines = await outlinesOf(planned, {
      ...{ engine, key, signal, full: request.full ?? false, refuse },
      onWait: (line) => progress.onNote(line),
    })
    const snapshots = snapshotsOf(outlines)
    for (const note of partsNotes(snapshots)) progress.onNote(note)
    const bundles = planned.flatMap(({ path, api }, index) =>
      api ? [] : [{ path, mappings: outlines[index]?.mappings ?? [] }],
    )
    for (const note of await bundleNotes(bundles)) progress.onNote(note)
    const files: LoadedFile[] = []
    for (const [index, input] of planned.entries()) {
      progress.onFile(input.path, index, planned.length)
      if (outlines[index]?.isEmpty) {
        const { path, source } = input
        const told = { input: path, source, format: 'ndjson', outcome: 'unchanged' } as const
        const file = { ...told, mappings: [], replaced: [], milliseconds: 0 }
        files.push(file)
        progress.onLoaded(file)
        continue
      }
      const task = {
        input,
        snapshots,
        index,
        dryRun: request.dryRun,
        recognised: outlines[index]?.recognised,
        isWhole: outlines[index]?.isWhole ?? false,
      }
      const file = await loadFile(config, engine, task, {
        ...fileRequest({ config, engine, key, erased, signal }, input),
        spark,
        onBytes: (bytes, total) =>
          progress.onBytes(total === undefined ? { bytes } : { bytes, totalBytes: total }),
      })
      files.push(file)
      progress.onLoaded(file)
    }
    const others = await readOtherLoads(engine, key.id)
    if (others.length > 0)
      progress.onWarning(...otherKeyWarning(others, reloadsOf(others, config, process.cwd())))
    return files
  })
}

/** Each file of an archive is loaded as those of a folder are. */
async function withArchives(
  planned: readonly PlannedInput[],
  { onNote }: Pick<LoadProgress, 'onNote'>,
): Promise<PlannedInput[]> {
  const inputs: PlannedInput[] = []
  for (const input of planned) {
    const paths = input.api ? [input.path] : await filesOf(input.path)
    inputs.push(...paths.map((path) => ({ ...input, path })))
    if (!input.api && (await hasArchives(input.path))) {
      onNote(`${maskEmails(input.path)}: archives in it are passed over: unpack it, and load those.`)
    }
  }
  return inputs
}

/** What every input of a run is read with. */
interface Reading extends Pick<FileRequest, 'key' | 'erased' | 'signal'> {
  readonly config: Config
  readonly engine: Engine
}

/** How an input is read. */
export function fileRequest(
  { config, engine, key, erased, signal }: Reading,
  { source, idSpace, entity, mappings }: PlannedInput,
): FileRequest {
  const { timezone, memoryLimit, threads } = config.warehouse
  const { scratch, parquetVersion } = engine
  return {
    ...{
      key,
      erased,
      signal,
      source,
      idSpace,
      entity,
      mappings,
      timezone,
      memoryLimit,
      threads,
      scratch,
      parquetVersion,
    },
    nextLoadId: () => engine.nextLoadId(),
  }
}

async function openLines(config: Config, signal: AbortSignal) {
  const { openSparkLoad } = await import('./spark.ts')
  return openSparkLoad(config, signal)
}

interface Outline {
  readonly source: string
  readonly mappings: readonly Mapping[]
  /** Only of a stream, which cannot be looked at twice, and of a single input: the heads of many would fill the memory. */
  readonly recognised: RecognisedFile | undefined
  /** An API that holds nothing, or nothing new. */
  readonly isEmpty?: boolean
  /** An API that is read from its beginning again. */
  readonly isWhole?: boolean
}

interface Opening extends ApiOpening {
  /** Throws for what cannot be taken to where it is to be read. */
  readonly refuse: ((how: HowRead) => void) | undefined
}

async function outlinesOf(planned: readonly PlannedInput[], opening: Opening): Promise<Outline[]> {
  const outlines: Outline[] = []
  for (const planning of planned) {
    const { path, source, mappings, entity } = planning
    opening.signal.throwIfAborted()
    const isWhole = opening.full && planning.api !== undefined
    const input = planning.api ? await openPlannedApi(planning, planning.api, opening) : await openInput(path)
    if (!input) {
      outlines.push({ source, mappings: [], recognised: undefined, isEmpty: true })
      continue
    }
    const recognised = await recogniseInput(input, { mappings, entity })
    for (const [mapping, { input, fields }] of recognised.outlines)
      opening.refuse?.({ input, mapping, fields })
    // Also of a mapping that was recognised.
    if (planning.api) refusePartOfSnapshot(planning.api, path, recognised.mappings)
    const { stats, canReopen } = recognised.input
    const isKept = planned.length === 1 || (stats === undefined && !canReopen)
    outlines.push({
      ...{ source, mappings: recognised.mappings },
      recognised: isKept ? recognised : undefined,
      isWhole,
    })
  }
  return outlines
}

/**
 * Not a refusal: what mends it is a load, and its exports may be gone for good. Nothing is lost either, since loading
 * the same content under the right key supersedes this load. The check of each batch fails until then.
 */
export function otherKeyWarning(
  others: readonly EarlierLoad[],
  reloads: readonly Reload[],
): [string, ...string[]] {
  const loads = others.length === 1 ? '1 load holds' : `${others.length} loads hold`
  return [
    `${loads} pseudonyms of another key: learners who are in both count twice.`,
    'If the key was changed on purpose, load again what lies under the old one:',
    ...reloads.map(({ command }) => `  ${command}`),
    'If not, restore the key from your backup, and load this again.',
  ]
}

export interface FileTask {
  readonly input: PlannedInput
  /** Its place among the inputs of the command, from 0. */
  readonly index: number
  /** All of the command. */
  readonly snapshots: readonly Snapshot[]
  readonly dryRun: boolean
  readonly recognised: RecognisedFile | undefined
  /** It takes the place of all that its source held of its entity. */
  readonly isWhole: boolean
  /** Of a directory: it may go on growing, and what it was before then is superseded. */
  readonly mayGrow?: boolean
  /** Asked of the last file of a snapshot: whether what is no part of it goes. Always, unless said. */
  readonly mayEnd?: () => boolean
  /**
   * Of a file that is read again: takes earlier loads away in favour of one that was just added, inside the open
   * transaction, and answers which. No snapshot begins or ends with it.
   */
  readonly inPlaceOf?: (mapping: Mapping, by: number) => Promise<number[]>
}

/**
 * Loads one file by the load protocol, in a transaction of its own; in the same one goes what its snapshot replaces.
 * @throws UserError data (65) for a broken file or rejects over the limit, …
 */
export async function loadFile(
  config: Config,
  engine: Engine,
  { input, index, snapshots, dryRun, isWhole, ...task }: FileTask,
  request: FileRequest,
): Promise<LoadedFile> {
  const started = performance.now()
  const recognised = task.recognised ?? (await recogniseFile(input.path, request))
  const done = (
    outcome: LoadedFile['outcome'],
    mappings: readonly LoadedMapping[],
    replaced: readonly number[],
  ): LoadedFile => ({
    ...{ input: maskEmails(input.path), source: input.source, outcome, mappings },
    replaced: [...new Set(replaced)].sort((a, b) => a - b),
    format: [recognised.input.format, recognised.input.compression]
      .filter((part) => part !== 'none')
      .join('.'),
    milliseconds: Math.round(performance.now() - started),
  })
  if (recognised.mappings.length === 0) return done('skipped', [], [])
  const keep = (mapping: Mapping, loadId: number) => {
    if (task.inPlaceOf) return
    if (isWhole || mapping.export === 'snapshot') addPart(snapshots, input, mapping, loadId)
  }
  const ending = snapshots.filter(({ files }) => files.at(-1) === index && (task.mayEnd?.() ?? true))

  const before = await sameIfLoaded(engine, input.source, recognised)
  const known = recognised.mappings.flatMap((mapping) => {
    const load = knownLoad(before, mapping, request.key)
    return load ? [{ mapping, load }] : []
  })
  if (known.length === recognised.mappings.length) {
    if (dryRun) return done('unchanged', [], [])
    for (const { mapping, load } of known) keep(mapping, load.loadId)
    return done('unchanged', [], await endSnapshots(engine, ending))
  }
  let staged: StagedFile[] = []
  try {
    staged = await stageFile(recognised, request)
    const mappings = staged.map(describeMapping)
    if (!dryRun) assertWithinLimit(config, input.path, mappings)
    if (input.source === UNNAMED_SOURCE) await refuseElsewhere(engine, input, staged)
    if (dryRun) return done('checked', await withFirstRows(staged, mappings, request.memoryLimit), [])
    const growth = task.mayGrow ? new Growth(engine, input.source, recognised.input) : undefined
    // Before the lock is taken: it reads the file.
    await growth?.outgrownLoads()
    const replaced: number[] = []
    const committed = await engine.transaction(
      async () => {
        await assertSameErased(engine, request.erased)
        // While it waited for the lock, another run may have loaded what the file is by now.
        if (growth && existsSync(input.path)) assertUnchanged(recognised.input)
        let count = 0
        for (const { batch, mapping } of staged) {
          const { loadId, contentSha256 } = batch.load
          const content = await sameContent(engine, input.source, contentSha256, recognised.input)
          const known = knownLoad(content, mapping, request.key)
          keep(mapping, known?.loadId ?? loadId)
          if (known) continue
          // Read by what that mapping was before it changed, also its name, or under another key.
          const changed = content.same
            .filter((load) => !recognised.mappings.some((wanted) => isSameLoad(load, wanted, request.key)))
            .filter((load) => load.entity === mapping.entity || load.format === mapping.name)
            .map((load) => load.loadId)
          await engine.supersede(changed, loadId)
          replaced.push(...changed, ...((await growth?.supersede(mapping, loadId)) ?? []))
          await engine.append(batch)
          replaced.push(...((await task.inPlaceOf?.(mapping, loadId)) ?? []))
          count += 1
        }
        for (const snapshot of ending) replaced.push(...(await endSnapshot(engine, snapshot)))
        return count
      },
      // What was staged becomes a part of the warehouse as it is.
      { rows: 0 },
    )
    return done(committed > 0 ? 'loaded' : 'unchanged', committed > 0 ? mappings : [], replaced)
  } finally {
    discardStaged(engine.scratch, loadIdsOf(staged))
  }
}

/**
 * What a dry run comes to, after its rows were shown.
 * @throws UserError data (65) for rejects over the limit
 */
export function assertLoadable(config: Config, files: readonly LoadedFile[]): void {
  for (const { input, mappings, outcome } of files)
    if (outcome === 'checked') assertWithinLimit(config, input, mappings)
}

function assertWithinLimit(config: Config, input: string, mappings: readonly LoadedMapping[]): void {
  const reasons = mappings.flatMap((mapping) => mapping.reasons)
  for (const { counts } of mappings) assertRejects(input, counts, config.load.maxRejects, reasons)
}

async function withFirstRows(
  staged: readonly StagedFile[],
  mappings: readonly LoadedMapping[],
  memoryLimit: string,
): Promise<LoadedMapping[]> {
  const shown: LoadedMapping[] = []
  for (const [index, mapping] of mappings.entries()) {
    const [rows] = staged[index]?.batch.files ?? []
    shown.push(rows ? { ...mapping, firstRows: await readFirstRows(rows.path, memoryLimit) } : mapping)
  }
  return shown
}

/** Loads of a file's content, if one of its size was loaded: hashing alone is quicker than reading. */
async function sameIfLoaded(
  engine: Engine,
  source: string,
  { input }: RecognisedFile,
): Promise<KnownContent> {
  const [earlier] = await ledgerRows(engine, 'same-size', {
    source,
    bytes: input.stats?.size ?? input.bytes ?? -1,
  })
  if (Number(earlier?.[0]) === 0) return { same: [], outgrown: [] }
  return sameContent(engine, source, await hashInput(input), input)
}

/** Two platforms may export alike, and both count; but whose this is must be said then, not left out. */
async function refuseElsewhere(
  engine: Engine,
  { path, source }: PlannedInput,
  staged: readonly StagedFile[],
): Promise<void> {
  const content = staged[0]?.batch.load.contentSha256 ?? ''
  const [other] = await ledgerRows(engine, 'same-content-elsewhere', { source, content_sha256: content })
  if (!other) return
  throw new UserError('LPA-LOAD-ELSEWHERE', `It holds what source ${other[0]} holds: it would count twice.`, {
    exit: 'usage',
    where: path,
    next: [
      `If it is the same, say so: --source ${other[0]}`,
      "If it is another platform's, name that: --source NAME",
    ],
  })
}

/** Whatever a snapshot replaces goes with the last of its files, inside the open transaction. */
async function endSnapshot(engine: Engine, snapshot: Snapshot): Promise<number[]> {
  const replaced = await loadsReplacedBy(engine, snapshot)
  await engine.supersede(replaced, Math.max(...snapshot.loads))
  return replaced
}

/** The same where that file brings nothing new: mostly there is nothing to do, and nothing is committed. */
async function endSnapshots(engine: Engine, snapshots: readonly Snapshot[]): Promise<number[]> {
  const replaced: number[] = []
  for (const snapshot of snapshots) {
    if ((await loadsReplacedBy(engine, snapshot)).length === 0) continue
    replaced.push(...(await engine.transaction(() => endSnapshot(engine, snapshot))))
  }
  return replaced
}

function describeMapping({ mapping, batch, reasons, undated, leftOut }: StagedFile): LoadedMapping {
  const { loadId, counts, entities } = batch.load
  return {
    ...{ loadId, counts, reasons, undated, leftOut },
    mapping: mapping.name,
    entity: mapping.entity,
    rows: entities[mapping.entity] ?? 0,
    written: batch.files.map(({ table, rows }) => ({ table, rows })),
  }
}

interface SameContent {
  readonly loadId: number
  readonly format: string
  readonly entity: string
  readonly mappingSha256: string
  readonly keyId: string
}

/** Loads that hold a content and still count, under any key: a row an entity. */
interface KnownContent {
  /** Of just this content. */
  readonly same: readonly SameContent[]
  /** Of what a file grew to that had this content once. */
  readonly outgrown: readonly SameContent[]
}

async function sameContent(
  engine: Engine,
  source: string,
  contentSha256: string,
  input: Input,
): Promise<KnownContent> {
  const loads = async (name: string): Promise<SameContent[]> => {
    const rows = await ledgerRows(engine, name, { source, content_sha256: contentSha256 })
    return rows.map(([loadId, format, entity, mappingSha256, keyId]) => ({
      loadId: Number(loadId),
      format: String(format),
      entity: String(entity),
      mappingSha256: String(mappingSha256),
      keyId: String(keyId),
    }))
  }
  const same = await loads('same-content')
  // Only files grow. An API may answer again what it answered before.
  return { same, outgrown: input.stats ? await loads('outgrown-content') : [] }
}

/** The load that makes loading the content again needless. An older snapshot is loaded again, and counts then. */
function knownLoad(
  { same, outgrown }: KnownContent,
  mapping: Mapping,
  key: PseudonymKey,
): SameContent | undefined {
  const known = same.find((load) => isSameLoad(load, mapping, key))
  if (known || mapping.export === 'snapshot') return known
  // Of a file that grew, what raw kept of all counts, and not its beginning alone.
  const wanted = [mapping, { sha256: fromRaw(mapping.sha256) }]
  return outgrown.find((load) => wanted.some((each) => isSameLoad(load, each, key)))
}

/** Whether loading the content again would give the same rows: under another key the pseudonyms are others. */
function isSameLoad(load: SameContent, mapping: Pick<Mapping, 'sha256'>, key: PseudonymKey): boolean {
  return load.mappingSha256 === mapping.sha256 && load.keyId === key.id
}
