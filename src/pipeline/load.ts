/** load: from named inputs to raw and staging, by the load protocol (README, "What a load promises"). */

import type { Config } from '../config.ts'
import { UserError } from '../errors.ts'
import { readKey } from '../pseudonym.ts'
import { maskEmails } from '../secrets.ts'
import {
  discardStaged,
  type FileRequest,
  recogniseFile,
  type StagedFile,
  stageFile,
} from '../sources/files.ts'
import { hashInput } from '../sources/input.ts'
import type { Counts, Engine, Result } from '../types.ts'
import { ledgerRows, withoutColumns } from './ledger.ts'
import { type PlannedInput, planInputs } from './load-inputs.ts'
import { type EarlierLoad, type Reload, readOtherLoads, reloadsOf } from './reload.ts'
import { withWarehouse } from './warehouse.ts'

export interface LoadRequest {
  /** Files, globs, folders, `-`, or names of sources in lpa.toml; none: all of those. */
  readonly inputs: readonly string[]
  readonly entity?: string | undefined
  readonly mappings: readonly string[]
  readonly source?: string | undefined
  /** Reads, maps and checks; commits nothing. */
  readonly dryRun: boolean
}

export interface LoadedMapping {
  readonly loadId: number
  readonly mapping: string
  readonly entity: string
  readonly rows: number
  readonly counts: Counts
  readonly reasons: StagedFile['reasons']
  readonly leftOut: readonly string[]
}

export interface LoadedFile {
  readonly input: string
  readonly source: string
  readonly format: string
  readonly outcome: 'loaded' | 'unchanged' | 'checked'
  readonly mappings: readonly LoadedMapping[]
  readonly milliseconds: number
}

export interface LoadProgress {
  onFile(input: string, index: number, total: number): void
  onBytes(bytes: number, total: number | undefined): void
  /** A finished file, as soon as it is committed. */
  onLoaded(file: LoadedFile): void
  /** What makes the numbers wrong: loads under another key. */
  onWarning(...lines: readonly [string, ...string[]]): void
}

/** One row a mapping, for people and programs. */
export function loadRows(files: readonly LoadedFile[]): Result {
  const text = (name: string) => ({ name, type: 'text' as const })
  const integer = (name: string) => ({ name, type: 'integer' as const })
  return {
    columns: [
      ...[text('input'), text('format'), text('mapping'), text('outcome'), integer('load')],
      ...[integer('read'), integer('mapped'), integer('rejected'), integer('filtered'), integer('doubled')],
    ],
    rows: files.flatMap(({ input, format, outcome, mappings }) =>
      mappings.length === 0
        ? [[input, format, null, outcome, null, null, null, null, null, null]]
        : mappings.map(({ mapping, loadId, counts }) => [
            ...[input, format, mapping, outcome, outcome === 'loaded' ? loadId : null],
            ...[counts.read, counts.mapped, counts.rejected, counts.filtered, counts.doubled],
          ]),
    ),
  }
}

/**
 * The same for people, as a table that fits 80 columns: the summary line tells filtered and doubled records, `lpa runs`
 * and `lpa rejects` the load's number; formats are left out where files' names tell them, outcomes where all are loaded.
 */
export function loadTable(files: readonly LoadedFile[]): Result {
  const leftOut = ['load', 'filtered', 'doubled']
  if (files.every(nameTellsFormat)) leftOut.push('format')
  if (files.every(({ outcome }) => outcome === 'loaded')) leftOut.push('outcome')
  return withoutColumns(loadRows(files), leftOut)
}

/** `events.ndjson.gz` is `ndjson.gzip`. */
function nameTellsFormat({ input, format }: LoadedFile): boolean {
  return input.toLowerCase().endsWith(`.${format.replace('gzip', 'gz').replace('zstd', 'zst')}`)
}

/** `7 files: 12,000 records mapped, 9 rejected, 2 doubled; 2 files loaded before, nothing changed`. */
export function loadSummary(files: readonly LoadedFile[]): string {
  const mappings = files.flatMap((file) => file.mappings)
  const sum = (fate: keyof Counts) => mappings.reduce((total, { counts }) => total + counts[fate], 0)
  const said = (fate: keyof Counts) => sum(fate).toLocaleString('en')
  const unchanged = files.filter((file) => file.outcome === 'unchanged').length
  const read = files.length - unchanged
  const parts = []
  if (read > 0) {
    const verb = files.some((file) => file.outcome === 'checked') ? 'would be mapped' : 'mapped'
    const others = (['filtered', 'doubled'] as const).filter((fate) => sum(fate) > 0)
    const fates = ['rejected' as const, ...others].map((fate) => `${said(fate)} ${fate}`)
    parts.push(
      `${read} ${read === 1 ? 'file' : 'files'}: ${said('mapped')} records ${verb}, ${fates.join(', ')}`,
    )
  }
  if (unchanged > 0)
    parts.push(`${unchanged} ${unchanged === 1 ? 'file' : 'files'} loaded before, nothing changed`)
  return parts.join('; ')
}

/**
 * Loads every input, each in a transaction of its own: what was committed before an error stays.
 * @throws UserError data (65) for a broken input or rejects over the limit, noInput (66), locked (75), …
 */
export async function load(
  config: Config,
  request: LoadRequest,
  signal: AbortSignal,
  progress: LoadProgress,
): Promise<LoadedFile[]> {
  const key = readKey(config.privacy.keyFile)
  const planned = planInputs(config, request)
  return withWarehouse(config, 'write', signal, async (engine) => {
    const files: LoadedFile[] = []
    for (const [index, input] of planned.entries()) {
      progress.onFile(input.path, index, planned.length)
      const file = await loadFile(config, engine, input, request.dryRun, {
        ...{ key, signal, source: input.source, idSpace: input.idSpace },
        entity: input.entity,
        mappings: input.mappings,
        timezone: config.warehouse.timezone,
        memoryLimit: config.warehouse.memoryLimit,
        threads: config.warehouse.threads,
        scratch: engine.scratch,
        nextLoadId: () => engine.nextLoadId(),
        onBytes: (bytes, total) => progress.onBytes(bytes, total),
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

/**
 * Not a refusal: what mends it is a load, and its exports may be gone for good. Nothing is lost either, since loading
 * the same content under the right key supersedes this load. The check of each batch fails until then.
 */
function otherKeyWarning(others: readonly EarlierLoad[], reloads: readonly Reload[]): [string, ...string[]] {
  const loads = others.length === 1 ? '1 load holds' : `${others.length} loads hold`
  return [
    `${loads} pseudonyms of another key: learners who are in both count twice.`,
    'If the key was changed on purpose, load again what lies under the old one:',
    ...reloads.map(({ command }) => `  ${command}`),
    'If not, restore the key from your backup, and load this again.',
  ]
}

async function loadFile(
  config: Config,
  engine: Engine,
  planned: PlannedInput,
  dryRun: boolean,
  request: FileRequest,
): Promise<LoadedFile> {
  const started = performance.now()
  const recognised = await recogniseFile(planned.path, request)
  const done = (outcome: LoadedFile['outcome'], mappings: readonly LoadedMapping[]): LoadedFile => ({
    ...{ input: maskEmails(planned.path), source: planned.source, outcome, mappings },
    format: [recognised.input.format, recognised.input.compression]
      .filter((part) => part !== 'none')
      .join('.'),
    milliseconds: Math.round(performance.now() - started),
  })
  const wanted = recognised.mappings.map((mapping) => mapping.sha256)
  const [earlier] = await ledgerRows(engine, 'same-size', {
    source: planned.source,
    bytes: recognised.input.stats?.size ?? -1,
  })
  if (Number(earlier?.[0]) > 0) {
    // Probably the same file again: hashing alone is quicker than reading.
    const contentSha256 = await hashInput(recognised.input)
    const same = await sameContent(engine, planned.source, contentSha256)
    if (wanted.every((sha256) => same.some((load) => isSameLoad(load, sha256, request.key.id))))
      return done('unchanged', [])
  }
  let staged: StagedFile[] = []
  try {
    staged = await stageFile(recognised, request)
    const mappings = staged.map(describeMapping)
    for (const { batch } of staged)
      assertRejects(planned.path, batch.load.counts, config.load.maxRejects, staged)
    if (dryRun) return done('checked', mappings)
    const committed = await engine.transaction(async () => {
      let count = 0
      for (const { batch, mapping } of staged) {
        const { load: record } = batch
        const same = await sameContent(engine, planned.source, record.contentSha256)
        if (same.some((load) => isSameLoad(load, mapping.sha256, record.keyId))) continue
        // Read by what that mapping was before it changed, or under another key.
        const changed = same.filter(
          (load) => load.format === mapping.name || load.mappingSha256 === mapping.sha256,
        )
        const replaced =
          mapping.export === 'snapshot' ? await earlierSnapshots(engine, planned.source, mapping.name) : []
        const supersedes = [...new Set([...changed.map((load) => load.loadId), ...replaced])]
        await engine.append({ ...batch, load: { ...record, supersedes } })
        count += 1
      }
      return count
    })
    return committed > 0 ? done('loaded', mappings) : done('unchanged', [])
  } finally {
    for (const { batch } of staged) discardStaged(engine.scratch, batch.load.loadId)
  }
}

function describeMapping({ mapping, batch, reasons, leftOut }: StagedFile): LoadedMapping {
  const { loadId, counts, entities } = batch.load
  return {
    ...{ loadId, counts, reasons, leftOut },
    mapping: mapping.name,
    entity: mapping.entity,
    rows: entities[mapping.entity] ?? 0,
  }
}

/** Holds rejects against `--max-rejects`: a number of records, or a share of those read. */
function assertRejects(input: string, counts: Counts, limit: string, staged: readonly StagedFile[]): void {
  const share = /^(\d+(?:\.\d+)?)\s*%$/.exec(limit)
  const allowed = share ? Math.floor((counts.read * Number(share[1])) / 100) : Number(limit)
  if (counts.rejected <= allowed) return
  const reasons = staged.flatMap((file) => file.reasons).slice(0, 5)
  throw new UserError(
    'LPA-LOAD-REJECTS',
    `${input}: ${counts.rejected} of ${counts.read} records are bad, more than the limit of ${limit}. Nothing was loaded.`,
    {
      exit: 'data',
      where: reasons[0]?.first ?? input,
      next: [
        ...reasons.map((reason) => `${reason.first}: ${reason.reason} (${reason.count} ×)`),
        'Mend the export, or allow it: --max-rejects 5%',
      ],
    },
  )
}

interface SameContent {
  readonly loadId: number
  readonly format: string
  readonly mappingSha256: string
  readonly keyId: string
}

/** Loads of this content that still count. */
async function sameContent(engine: Engine, source: string, contentSha256: string): Promise<SameContent[]> {
  const rows = await ledgerRows(engine, 'same-content', { source, content_sha256: contentSha256 })
  return rows.map(([loadId, format, mappingSha256, keyId]) => ({
    loadId: Number(loadId),
    format: String(format),
    mappingSha256: String(mappingSha256),
    keyId: String(keyId),
  }))
}

/** Whether loading the content again would give the same rows: under another key the pseudonyms are others. */
function isSameLoad(load: SameContent, mappingSha256: string, keyId: string): boolean {
  return load.mappingSha256 === mappingSha256 && load.keyId === keyId
}

async function earlierSnapshots(engine: Engine, source: string, format: string): Promise<number[]> {
  const rows = await ledgerRows(engine, 'earlier-snapshots', { source, format })
  return rows.map(([loadId]) => Number(loadId))
}
