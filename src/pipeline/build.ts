/** build: from staging to the star. Incremental by load; `full` makes every row anew, with the same result. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { parseDdl } from '../ddl.ts'
import { nearest } from '../did-you-mean.ts'
import { UserError } from '../errors.ts'
import { expand } from '../sql-expand.ts'
import { packageRoot, readSql, withIncremental, withoutIncremental } from '../sql-files.ts'
import type { Engine, Model, ModelRunner, Result } from '../types.ts'
import { ledgerRows, ledgerSql, writeLedger } from './ledger.ts'
import { type CheckOutcome, hasFailedChecks, runChecks } from './quality.ts'
import type { Replayed } from './replay.ts'
import { withWarehouse } from './warehouse.ts'

export interface BuildRequest {
  /** Models to make anew from what is built already; none: everything that new loads touch. */
  readonly select: readonly string[]
  readonly full: boolean
  readonly runId: string
  /** Of new loads only the first, up to so many records: what a build takes of memory grows with them. */
  readonly mostRecords?: number
  /** False leaves the checks to a later build, which runs them for all that was built since; so do loads that are left. */
  readonly checks?: boolean
  /** Maps raw again before it, where a mapping changed, and tells which facts are others. */
  readonly replays?: boolean
  /** Where models run, when not in the warehouse itself. */
  readonly engine?: 'spark' | undefined
}

export interface BuildProgress {
  onModel(name: string, index: number, total: number): void
}

export interface BuiltModel {
  readonly name: string
  readonly rows: number
  readonly milliseconds: number
}

/** Rows of a fact table that a full build brought, took away, or made otherwise. */
export interface FactChange {
  readonly fact: string
  readonly added: number
  readonly removed: number
  readonly changed: number
}

export interface BuildSummary {
  /** `empty`: nothing was ever loaded. */
  readonly outcome: 'built' | 'unchanged' | 'empty'
  readonly kind: 'full' | 'incremental' | 'selected'
  readonly loads: number
  /** Loads that wait for the next build. */
  readonly left: number
  readonly models: readonly BuiltModel[]
  readonly checks: readonly CheckOutcome[]
  /** Of what replays. */
  readonly changes?: readonly FactChange[]
  readonly replayed?: Replayed
  readonly milliseconds: number
  /** Of these, what the checks took. */
  readonly checkMilliseconds: number
}

/** In the order in which they read each other. touched_day is made before and after the facts change. */
const MODELS = [
  'retracted_event',
  'batch_event',
  'touched_pair',
  'touched_enrollment',
  'touched_day',
  'touched_course',
  'touched_learner',
  'bridge_course_instructor',
  'dim_course_category',
  'dim_instructor',
  'dim_course',
  'dim_learner',
  'repeated_event',
  'fact_learning_event',
  'fact_enrollment',
  'fact_course_completion',
  'touched_day',
  'agg_course_day',
  'touched_date',
  'dim_date',
] as const

/** What a batch adds to: where every row is made anew, everything is touched. */
const TOUCHED = [
  'retracted_event',
  'batch_event',
  'touched_pair',
  'touched_enrollment',
  'touched_day',
  'touched_course',
  'touched_learner',
  'touched_date',
] as const

/** Of all models, those that have nothing to do where no enrollment and no completion is touched. */
const AFTER_PAIRS: ReadonlySet<number> = new Set([
  MODELS.indexOf('touched_enrollment'),
  MODELS.lastIndexOf('touched_day'),
])

/** Tables of a build's transaction. */
export const BUILD_USES = [
  'batch_load',
  'configured_term',
  'configured_session',
  'checked_load',
  'check_outcome',
  ...TOUCHED,
  'repeated_event',
]

/** What `--full` compares the facts with. */
const BEFORE = 'fact_before'

/** What no warehouse holds: tables of the session, which other models read. */
const TEMPORARY: ReadonlySet<string> = new Set<(typeof MODELS)[number]>([...TOUCHED, 'repeated_event'])

/** repeated_event of a batch of one load: no earlier one holds the same. */
const NO_REPEATS: Result = {
  columns: [
    { name: 'load_id', type: 'integer' },
    { name: 'position', type: 'integer' },
    { name: 'event_id', type: 'text' },
  ],
  rows: [],
}

/**
 * Builds core and runs the checks, in one transaction.
 * @throws UserError locked (75), noInput (66) without a warehouse, usage for an unknown model, config (78) for selected
 *   models while loads wait.
 */
export async function build(
  config: Config,
  request: BuildRequest,
  signal: AbortSignal,
  progress: BuildProgress,
): Promise<BuildSummary> {
  // Before a warehouse is opened.
  selectedModels(request.select)
  return withWarehouse(config, 'write', signal, async (engine) => {
    // What a masked session sees of raw would take the place of what was loaded.
    if (request.replays && engine.can.roles === true) await underPolicy(engine)
    const replayed = request.replays ? await replayedBefore(config, engine, signal) : undefined
    const built = await buildWhere(config, engine, request, signal, progress)
    return replayed ? { ...built, replayed } : built
  })
}

async function replayedBefore(config: Config, engine: Engine, signal: AbortSignal): Promise<Replayed> {
  const { replayRaw } = await import('./replay.ts')
  return replayRaw(config, engine, signal)
}

async function buildWhere(
  config: Config,
  engine: Engine,
  request: BuildRequest,
  signal: AbortSignal,
  progress: BuildProgress,
): Promise<BuildSummary> {
  if (request.engine === undefined) return buildIn(config, engine, request, progress)
  const { openSparkRunner } = await import('./spark.ts')
  await using runner = await openSparkRunner(config, engine, signal)
  return await buildIn(config, engine, request, progress, runner)
}

/** The same in a warehouse that is open; models may run elsewhere. */
export async function buildIn(
  config: Config,
  engine: Engine,
  request: BuildRequest,
  progress: BuildProgress,
  runner: ModelRunner = engine,
): Promise<BuildSummary> {
  // The checks belong to the build: after a kill between the two, the next run would find nothing to do.
  return engine.transaction(() => buildWithin(config, engine, request, progress, runner), {
    uses: request.replays ? [...BUILD_USES, BEFORE] : BUILD_USES,
    rows: 0,
  })
}

/** The same inside a transaction that is open, and uses what builds use. */
export async function buildWithin(
  config: Config,
  engine: Engine,
  request: BuildRequest,
  progress: BuildProgress,
  runner: ModelRunner = engine,
): Promise<BuildSummary> {
  const started = performance.now()
  const fillRows = engine.can.roles === true ? await underPolicy(engine) : undefined
  if (request.replays) await keepFacts(engine)
  const { batch, records, ...made } = await buildInTransaction(
    { config, engine, runner, request, progress },
    selectedModels(request.select),
  )
  const changes = request.replays ? await factChanges(engine) : undefined
  const isLater = request.checks === false || made.left > 0
  const built = made.models.map(({ name }) => name)
  if (!isLater || built.length > 0) await fillRows?.(isLater ? built : undefined)
  const checksStarted = performance.now()
  const checks = isLater ? [] : await check(engine, request, batch, records)
  const checkMilliseconds = Math.round(performance.now() - checksStarted)
  return {
    ...{ ...made, checks, checkMilliseconds },
    ...(changes && { changes }),
    milliseconds: Math.round(performance.now() - started),
  }
}

async function keepFacts(engine: Engine): Promise<void> {
  const select = ledgerSql(engine, 'fact-state')
  const materialise = { kind: 'temporary', once: true } as const
  await engine.materialise({ name: BEFORE, columns: [], select, materialise }, true)
}

async function factChanges(engine: Engine): Promise<FactChange[]> {
  const now = `(${ledgerSql(engine, 'fact-state')})`
  const { rows } = await engine.query(ledgerSql(engine, 'fact-changes').replace('fact_now', () => now))
  return rows.map(([fact, ...counts]) => {
    const [added = 0, removed = 0, changed = 0] = counts.map(Number)
    return { fact: String(fact), added, removed, changed }
  })
}

/** What row rules select of core is kept beside the policy: it is as new as core is, or shows less. */
async function underPolicy(engine: Engine): Promise<(models?: readonly string[]) => Promise<void>> {
  const { batchUnderPolicy } = await import('./grant-snowflake.ts')
  return batchUnderPolicy(engine)
}

/** Checks what was built since the last checks; what failed is looked for everywhere, batch after batch, until it passes. */
async function check(
  engine: Engine,
  { runId }: BuildRequest,
  batch: readonly number[],
  records: number,
): Promise<CheckOutcome[]> {
  await engine.expectRows(0)
  if (await hasFailedChecks(engine)) {
    const counting = await readLoads(engine)
    return runChecks(
      engine,
      runId,
      counting.map(({ id }) => id),
      records,
    )
  }
  const unchecked = (await ledgerRows(engine, 'unchecked-loads')).map(([id]) => Number(id))
  // Of selected models no load was built anew.
  const loads = [...new Set([...unchecked, ...batch])]
  return loads.length > 0 ? runChecks(engine, runId, loads, records) : []
}

interface BuildParts {
  readonly config: Config
  readonly engine: Engine
  readonly runner: ModelRunner
  readonly request: BuildRequest
  readonly progress: BuildProgress
}

async function buildInTransaction(
  { config, engine, runner, request, progress }: BuildParts,
  names: readonly string[],
): Promise<
  Omit<BuildSummary, 'checks' | 'checkMilliseconds' | 'milliseconds'> & {
    /** Ids of the loads that were built. */
    readonly batch: readonly number[]
    /** All that are loaded. */
    readonly records: number
  }
> {
  const isSelected = request.select.length > 0
  const { sessionGapMinutes } = config.metrics
  // Rows of a superseded load have left staging: only building anew takes them out of core. And days that were built
  // with another session gap would not add up with those of this batch.
  const { hasBuilt, isStale, records, unbuilt } = await buildState(engine, sessionGapMinutes)
  if (isSelected) refuseUnbuilt(isStale, unbuilt.length)
  const isFull = request.full || isSelected || isStale || !hasBuilt
  const wanted = isFull ? await readLoads(engine) : unbuilt
  const taken = isFull ? wanted : firstOf(wanted, request.mostRecords)
  await engine.expectRows(recordsOf(taken))
  const batch = taken.map((load) => load.id)
  const left = wanted.length - batch.length
  const kind = isSelected ? 'selected' : isFull ? 'full' : 'incremental'
  if (batch.length === 0 && !request.full && !isStale) {
    const outcome = hasBuilt ? 'unchanged' : 'empty'
    return { outcome, kind, loads: 0, left, models: [], batch, records }
  }
  await runner.temporaryTable('batch_load', batchLoads(batch))
  await runner.temporaryTable('configured_term', terms(config))
  await runner.temporaryTable('configured_session', {
    columns: [{ name: 'gap_seconds', type: 'integer' }],
    rows: [[60 * sessionGapMinutes]],
  })
  const models: BuiltModel[] = []
  const isAnew = isFull && !isSelected
  const steps = isAnew ? names.filter((name) => !(TOUCHED as readonly string[]).includes(name)) : names
  const brought = isFull ? undefined : await broughtBy(engine)
  let retracted = 0
  for (const [index, name] of steps.entries()) {
    if (brought?.has('touched_pair') === false && AFTER_PAIRS.has(index)) continue
    progress.onModel(name, index, steps.length)
    const started = performance.now()
    const isWhole = isAnew || (isSelected && TEMPORARY.has(name))
    if (name === 'repeated_event' && batch.length < 2) {
      await runner.temporaryTable(name, NO_REPEATS)
      continue
    }
    const model = readModel(name, runner, isWhole, brought)
    if (brought && isUntouched(model, brought)) continue
    if (name === 'fact_learning_event' && retracted > 0) await runner.materialise(takingBack(model), false)
    const rows = await runner.materialise(model, isFull)
    if (name === 'touched_pair' && rows === 0) brought?.delete(name)
    if (name === 'retracted_event') retracted = rows
    const milliseconds = Math.round(performance.now() - started)
    if (model.materialise.kind !== 'temporary') models.push({ name, rows, milliseconds })
  }
  if (!isSelected) {
    if (isFull) await writeLedger(engine, 'forget-builds')
    await writeLedger(engine, 'add-build', {
      built_at: new Date().toISOString(),
      session_gap_minutes: sessionGapMinutes,
    })
  }
  return { outcome: 'built', kind, loads: batch.length, left, models, batch, records }
}

/** Whether core holds anything of what was loaded. */
export async function hasBuilt(engine: Engine): Promise<boolean> {
  const rows = await ledgerRows(engine, 'built-loads')
  return Number(rows[0]?.[0]) > 0
}

interface CountingLoad {
  readonly id: number
  readonly records: number
}

interface BuildState {
  readonly hasBuilt: boolean
  readonly isStale: boolean
  /** All that are loaded. */
  readonly records: number
  /** Loads that are not in core, in the order in which they were committed. */
  readonly unbuilt: readonly CountingLoad[]
}

async function buildState(engine: Engine, sessionGapMinutes: number): Promise<BuildState> {
  const rows = await ledgerRows(engine, 'build-state', { session_gap_minutes: sessionGapMinutes })
  return {
    hasBuilt: rows.some(([, , isBuilt]) => isBuilt === true),
    isStale: rows.some(([, , , isStale]) => isStale === true),
    records: rows.reduce((sum, [, records]) => sum + Number(records), 0),
    unbuilt: rows.flatMap(([id, records]) =>
      id === null ? [] : [{ id: Number(id), records: Number(records) }],
    ),
  }
}

/** All that count, in the order in which they were committed. */
async function readLoads(engine: Engine): Promise<readonly CountingLoad[]> {
  const rows = await ledgerRows(engine, 'loads')
  return rows.map(([id, records]) => ({ id: Number(id), records: Number(records) }))
}

function recordsOf(loads: readonly CountingLoad[]): number {
  return loads.reduce((sum, { records }) => sum + records, 0)
}

/** Models are made anew from all of staging: beside others that do not know a load yet, they would not add up. */
function refuseUnbuilt(isStale: boolean, unbuilt: number): void {
  if (!isStale && unbuilt === 0) return
  const what = unbuilt === 1 ? '1 load is not built yet' : `${unbuilt} loads are not built yet`
  throw new UserError(
    'LPA-BATCH-UNBUILT',
    isStale ? 'What is built is not what is loaded any more.' : `${what}.`,
    {
      exit: 'config',
      next: 'Build everything first: lpa batch. Then select models.',
    },
  )
}

/** The first loads that have so many records together; always one. */
function firstOf<L extends { readonly records: number }>(
  loads: readonly L[],
  most = Number.POSITIVE_INFINITY,
): readonly L[] {
  let records = 0
  const end = loads.findIndex((load) => {
    records += load.records
    return records > most
  })
  return end < 0 ? loads : loads.slice(0, Math.max(1, end))
}

/** The model, for taking out what the batch's loads take back: it adds nothing. */
function takingBack({ select, ...model }: Model): Model {
  const key = ['date_key', 'event_id']
  const materialise = { kind: 'incremental', key, window: 'retracted_event' } as const
  return { ...model, select: `${select} limit 0`, materialise }
}

/** The entities that a batch brings, and touched_pair until it is known to be empty. */
async function broughtBy(engine: Engine): Promise<Set<string>> {
  const entities = await ledgerRows(engine, 'batch-entities')
  return new Set([...entities.map(([entity]) => String(entity)), 'touched_pair'])
}

/** Whether a model that is made anew each time reads nothing but what the batch did not bring. */
function isUntouched({ materialise, select }: Model, brought: ReadonlySet<string>): boolean {
  const read = [...select.matchAll(/\bstaging\.(?:stg|live)_(\w+)/g)].map((match) => match[1] ?? '')
  return materialise.kind === 'table' && read.length > 0 && !read.some((entity) => brought.has(entity))
}

function selectedModels(select: readonly string[]): readonly string[] {
  for (const name of select) {
    if (!(MODELS as readonly string[]).includes(name) || TEMPORARY.has(name)) {
      const known = MODELS.filter((model) => !TEMPORARY.has(model))
      throw new UserError('LPA-BATCH-MODEL', `There is no model "${name}".`, {
        exit: 'usage',
        next: nearest(name, known),
      })
    }
  }
  return select.length === 0 ? MODELS : MODELS.filter((name) => TEMPORARY.has(name) || select.includes(name))
}

/** A model as it is run: expanded for its dialect, with the columns that its table declares. */
function readModel(
  name: string,
  runner: Pick<ModelRunner, 'dialect'>,
  isWhole: boolean,
  brought: ReadonlySet<string> | undefined,
): Model {
  const file = readSql('models', name, runner.dialect)
  if (!file.materialise) throw new Error(`sql/models/${name}.sql does not say how to materialise it.`)
  return {
    name,
    columns: file.materialise.kind === 'temporary' ? [] : coreColumns(name),
    select: expand(isWhole ? withoutIncremental(file) : withIncremental(file, brought), runner.dialect),
    materialise: file.materialise,
  }
}

function coreColumns(name: string): string[] {
  const declared = parseDdl(readFileSync(join(packageRoot(), 'schema', 'ddl_core.sql'), 'utf8'))
  const table = declared.find((declaration) => declaration.name === `core.${name}`)
  if (!table) throw new Error(`schema/ddl_core.sql declares no ${name}.`)
  return table.columns.map((column) => column.name)
}

/** The loads of a batch, with their place in the order in which they were committed. */
function batchLoads(ids: readonly number[]): Result {
  return {
    columns: [
      { name: 'load_id', type: 'integer' },
      { name: 'place', type: 'integer' },
    ],
    rows: ids.map((id, index) => [id, index + 1]),
  }
}

function terms(config: Config): Result {
  return {
    columns: [
      { name: 'term', type: 'text' },
      { name: 'first_day', type: 'date' },
      { name: 'last_day', type: 'date' },
    ],
    rows: config.terms.map((term) => [term.name, term.from, term.to]),
  }
}

/** One row a model. */
export function buildRows({ models }: BuildSummary): Result {
  return {
    columns: [
      { name: 'table', type: 'text' },
      { name: 'rows', type: 'integer' },
      { name: 'milliseconds', type: 'integer' },
    ],
    rows: models.map(({ name, rows, milliseconds }) => [name, rows, milliseconds]),
  }
}

/** For people, of what replays: a line for each kind of fact that is another now, and what was mapped again. */
export function changeNotes({ changes = [], replayed }: BuildSummary): string[] {
  const said = (count: number) => count.toLocaleString('en')
  const others = changes.filter(({ added, removed, changed }) => added + removed + changed > 0)
  const facts = others.map(
    ({ fact, added, removed, changed }) =>
      `${fact}: ${said(added)} added, ${said(removed)} removed, ${said(changed)} changed`,
  )
  const { loads = 0, records = 0, reload = [] } = replayed ?? {}
  return [
    ...(loads > 0
      ? [`${said(records)} records of ${loads === 1 ? '1 load' : `${loads} loads`} mapped again from raw.`]
      : []),
    ...(reload.length > 0
      ? ['Of other changed mappings raw keeps nothing. Load again, then lpa batch:']
      : []),
    ...reload.map(({ command }) => `  ${command}`),
    ...(replayed && facts.length === 0 ? ['No fact changed.'] : facts),
  ]
}

/** `3 loads built, 12 checks passed`. */
export function buildSummary({ outcome, kind, loads, checks }: BuildSummary): string {
  const done = {
    empty: 'there are no loads yet',
    unchanged: 'core holds every load already, nothing changed',
    built: `${loads} ${loads === 1 ? 'load' : 'loads'} built (${kind})`,
  }[outcome]
  if (checks.length === 0) return done
  const failed = checks.filter((check) => check.failures > 0)
  const verdict =
    failed.length === 0
      ? `${checks.length} checks passed`
      : `${failed.length} of ${checks.length} checks found something: ${failed.map((check) => check.name).join(', ')}`
  return `${done}, ${verdict}`
}
