/** build: from staging to the star. Incremental by load; `full` makes every row anew, with the same result. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { parseDdl } from '../ddl.ts'
import { nearest } from '../did-you-mean.ts'
import { UserError } from '../errors.ts'
import { expand } from '../sql-expand.ts'
import { packageRoot, readSql } from '../sql-files.ts'
import type { Engine, Model, Result } from '../types.ts'
import { ledgerRows, writeLedger } from './ledger.ts'
import { type CheckOutcome, runChecks } from './quality.ts'
import { withWarehouse } from './warehouse.ts'

export interface BuildRequest {
  /** Models to make anew from what is built already; none: everything that new loads touch. */
  readonly select: readonly string[]
  readonly full: boolean
  readonly runId: string
}

export interface BuildProgress {
  onModel(name: string, index: number, total: number): void
}

export interface BuiltModel {
  readonly name: string
  readonly rows: number
  readonly milliseconds: number
}

export interface BuildSummary {
  readonly outcome: 'built' | 'unchanged'
  readonly kind: 'full' | 'incremental' | 'selected'
  readonly loads: number
  readonly models: readonly BuiltModel[]
  readonly checks: readonly CheckOutcome[]
  readonly milliseconds: number
}

/** In the order in which they read each other. touched_day is read before and after the facts change. */
const MODELS = [
  'touched_pair',
  'touched_day',
  'bridge_course_instructor',
  'dim_course_category',
  'dim_instructor',
  'dim_course',
  'dim_learner',
  'fact_learning_event',
  'fact_enrollment',
  'fact_course_completion',
  'touched_day',
  'agg_course_day',
  'dim_date',
] as const

/**
 * Builds core and runs the checks, in one transaction.
 * @throws UserError locked (75), noInput (66) without a warehouse, usage for an unknown model.
 */
export async function build(
  config: Config,
  request: BuildRequest,
  signal: AbortSignal,
  progress: BuildProgress,
): Promise<BuildSummary> {
  const started = performance.now()
  const names = selectedModels(request.select)
  return withWarehouse(config, 'write', signal, async (engine) => {
    // The checks belong to the build: after a kill between the two, the next run would find nothing to do.
    const built = await engine.transaction(async () => {
      const made = await buildInTransaction(config, engine, request, names, progress)
      const checks = made.outcome === 'built' ? await runChecks(engine, request.runId) : []
      return { ...made, checks }
    })
    return { ...built, milliseconds: Math.round(performance.now() - started) }
  })
}

async function buildInTransaction(
  config: Config,
  engine: Engine,
  request: BuildRequest,
  names: readonly string[],
  progress: BuildProgress,
): Promise<Omit<BuildSummary, 'checks' | 'milliseconds'>> {
  const loads = (await ledgerRows(engine, 'loads')).map(([id, superseded, isBuilt]) => ({
    id: Number(id),
    isSuperseded: superseded === true,
    isBuilt: isBuilt === true,
  }))
  const current = loads.filter((load) => !load.isSuperseded)
  const isSelected = request.select.length > 0
  // Rows of a superseded load have left staging: only building anew takes them out of core.
  const isFull =
    request.full ||
    isSelected ||
    loads.some((load) => load.isSuperseded) ||
    !loads.some((load) => load.isBuilt)
  const batch = isSelected
    ? current.filter((load) => load.isBuilt)
    : isFull
      ? current
      : current.filter((load) => !load.isBuilt)
  const kind = isSelected ? 'selected' : isFull ? 'full' : 'incremental'
  if (batch.length === 0 && !request.full && loads.every((load) => !load.isSuperseded)) {
    return { outcome: 'unchanged', kind, loads: 0, models: [] }
  }
  await engine.temporaryTable('batch_load', batchLoads(batch.map((load) => load.id)))
  await engine.temporaryTable('configured_term', terms(config))
  const models: BuiltModel[] = []
  for (const [index, name] of names.entries()) {
    progress.onModel(name, index, names.length)
    const started = performance.now()
    const model = readModel(name, engine)
    const rows = await engine.materialise(model, isFull)
    const milliseconds = Math.round(performance.now() - started)
    if (model.materialise.kind !== 'temporary') models.push({ name, rows, milliseconds })
  }
  if (!isSelected) {
    if (isFull) await writeLedger(engine, 'forget-builds')
    await writeLedger(engine, 'add-build', { built_at: new Date().toISOString() })
  }
  return { outcome: 'built', kind, loads: batch.length, models }
}

function selectedModels(select: readonly string[]): readonly string[] {
  for (const name of select) {
    if (!(MODELS as readonly string[]).includes(name) || name.startsWith('touched_')) {
      const known = [...new Set(MODELS)].filter((model) => !model.startsWith('touched_'))
      throw new UserError('LPA-BATCH-MODEL', `There is no model "${name}".`, {
        exit: 'usage',
        next: nearest(name, known),
      })
    }
  }
  return select.length === 0
    ? MODELS
    : MODELS.filter((name) => name.startsWith('touched_') || select.includes(name))
}

/** A model as the engine runs it: expanded for its dialect, with the columns that its table declares. */
function readModel(name: string, engine: Pick<Engine, 'dialect'>): Model {
  const file = readSql('models', name, engine.dialect)
  if (!file.materialise) throw new Error(`sql/models/${name}.sql does not say how to materialise it.`)
  return {
    name,
    columns: file.materialise.kind === 'temporary' ? [] : coreColumns(name),
    select: expand(file.body, engine.dialect),
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

/** `3 loads built, 12 checks passed`. */
export function buildSummary({ outcome, kind, loads, checks }: BuildSummary): string {
  if (outcome === 'unchanged') return 'core holds every load already, nothing changed'
  const failed = checks.filter((check) => check.failures > 0)
  const verdict =
    failed.length === 0
      ? `${checks.length} checks passed`
      : `${failed.length} of ${checks.length} checks found something: ${failed.map((check) => check.name).join(', ')}`
  return `${loads} ${loads === 1 ? 'load' : 'loads'} built (${kind}), ${verdict}`
}
