/** Declared DDL against the live warehouse: plan, apply, status. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { viewBody } from '../ddl.ts'
import { UserError } from '../errors.ts'
import { safeText } from '../safe-text.ts'
import { packageRoot } from '../sql-files.ts'
import type { Cell, Engine, TableDeclaration } from '../types.ts'
import { readDeclared } from './declared.ts'
import { ledgerRows, queryLedger, recordsOf, writeLedger } from './ledger.ts'
import { indented, readSavedPlan, refuseStale } from './saved-plan.ts'
import { readChanges, sha256 } from './schema-changes.ts'
import {
  type AppliedChange,
  changeName,
  type LiveTable,
  type PlannedSteps,
  planSteps,
  type SchemaFinding,
  type SchemaStep,
} from './schema-plan.ts'
import { withWarehouse } from './warehouse.ts'

export interface SchemaPlan {
  readonly steps: readonly SchemaStep[]
  readonly findings: readonly SchemaFinding[]
  /** `Engine.version()` when it was made. */
  readonly baseVersion: string
  /** Of the steps and of the live schema they start from. Commits of rows leave it as it is. */
  readonly hash: string
}

export interface AppliedSchema {
  /** Nothing: it was up to date. */
  readonly steps: readonly SchemaStep[]
  /** What no step could mend. */
  readonly findings: readonly SchemaFinding[]
  readonly version: string
}

const META = 'meta.schema_changes'

/** What `applySchema` would do now. Reads only. */
export async function planSchema(engine: Engine, folder?: string): Promise<SchemaPlan> {
  return (await makePlan(engine, folder)).plan
}

/** The plan for the configured warehouse, also for one that is still to be made. */
export async function planConfigured(config: Config, signal: AbortSignal): Promise<SchemaPlan> {
  try {
    return await withWarehouse(config, 'plan', signal, (engine) => planSchema(engine))
  } catch (error) {
    if (!(error instanceof UserError && error.code === 'LPA-WAREHOUSE-MISSING')) throw error
  }
  // Of an embedded warehouse: an empty one elsewhere has the same plan, and asking leaves nothing behind.
  const path = mkdtempSync(join(tmpdir(), 'lpa-plan-'))
  try {
    const elsewhere = { ...config, warehouse: { ...config.warehouse, path } }
    return await withWarehouse(elsewhere, 'create', signal, (engine) => planSchema(engine))
  } finally {
    rmSync(path, { recursive: true, force: true })
  }
}

export interface SchemaStatus extends SchemaPlan {
  readonly upToDate: boolean
  /** Rows of `meta.schema_changes`. */
  readonly applied: readonly Readonly<Record<string, Cell>>[]
}

/** What was applied, what is pending and what has drifted. */
export async function schemaStatus(engine: Engine): Promise<SchemaStatus> {
  const { plan, applied } = await makePlan(engine)
  return {
    upToDate: plan.steps.length === 0 && plan.findings.length === 0,
    applied: applied.length === 0 ? [] : recordsOf(await queryLedger(engine, 'schema-changes')),
    ...plan,
  }
}

/**
 * A plan as `schema plan --out` wrote it.
 * @throws UserError LPA-SCHEMA-PLAN: noInput (66) without the file, data (65) when it holds no plan.
 */
export function readPlan(file: string): SchemaPlan {
  return readSavedPlan<SchemaPlan>(file, 'schema', ({ steps = [], findings, baseVersion = '', hash = '' }) =>
    Array.isArray(findings) ? { steps, findings, baseVersion, hash } : undefined,
  )
}

/** The plan for people: a line each for what would be done and what was found. */
export function planText({ steps, findings }: Pick<SchemaPlan, 'steps' | 'findings'>): string {
  const lines = steps.flatMap(({ kind, target, sql }) => {
    const isDeclared = kind === 'create table' || kind === 'create view' || kind === 'replace view'
    return [safeText(`${kind} ${target}`), ...(isDeclared ? [] : sql.map(indented))]
  })
  lines.push(...findings.map(({ message }) => safeText(`drift: ${message}`)))
  return lines.length > 0 ? lines.join('\n') : 'Nothing to do: the schema is up to date.'
}

/** The status for people: what was applied, then the plan. */
export function statusText(status: SchemaStatus): string {
  const applied = status.applied.map(({ number, name, applied_at, sha256 }) => {
    const change = changeName({ number: Number(number), name: String(name) })
    return safeText(`applied ${change} at ${applied_at} (SHA-256 ${String(sha256).slice(0, 12)}…)`)
  })
  return [...applied, planText(status)].join('\n')
}

/** `28 steps, 1 drift`, or that there is nothing to do. */
export function planSummary({ steps, findings }: Pick<SchemaPlan, 'steps' | 'findings'>): string {
  if (steps.length === 0 && findings.length === 0) return 'the schema is up to date'
  const count = `${steps.length} ${steps.length === 1 ? 'step' : 'steps'}`
  return findings.length === 0 ? count : `${count}, ${findings.length} drift`
}

/**
 * Brings the warehouse to its declared schema, in one transaction where an engine has that; up to date it changes nothing.
 * With a plan that was made before, it does just what that plan says.
 * @throws UserError LPA-SCHEMA-STALE (findings) when the plan would be another one by now.
 */
export async function applySchema(
  engine: Engine,
  saved?: SchemaPlan,
  folder?: string,
): Promise<AppliedSchema> {
  const before = await makePlan(engine, folder)
  refuseStale(before.plan, saved, 'schema')
  if (isDone(before)) return { ...pick(before.plan), version: before.plan.baseVersion }
  const plan = engine.can.transactionalDdl
    ? await engine.transaction(
        async () => {
          // Again, under the writer lock: another run may have been first.
          const now = await makePlan(engine, folder)
          refuseStale(now.plan, saved, 'schema')
          await runSteps(engine, now.plan)
          if (!isDone(now)) await remember(engine, now)
          return now.plan
        },
        { rows: 0 },
      )
    : await applyStepByStep(engine, before, saved, folder)
  return { ...pick(plan), version: await engine.version() }
}

async function runSteps(engine: Engine, { steps }: SchemaPlan): Promise<void> {
  for (const { sql } of steps) for (const statement of sql) await engine.execute(statement)
}

/** Nothing to change, and that is written down: not so where a run was killed before it, or a DBA made the tables. */
function isDone({ plan, applied }: MadePlan): boolean {
  return plan.steps.length === 0 && applied.some(({ number }) => number === 0)
}

/**
 * Each step holds by itself. What a run that was killed has left, the next one plans. Where there is a ledger to lock, the
 * writer before is waited for and its tables are looked at again; of two that make the first tables each finds those of
 * the other there.
 */
async function applyStepByStep(
  engine: Engine,
  before: MadePlan,
  saved?: SchemaPlan,
  folder?: string,
): Promise<SchemaPlan> {
  let made = before
  if (before.hasLedger) {
    await engine.transaction(async () => {})
    made = await makePlan(engine, folder)
    refuseStale(made.plan, saved, 'schema')
    if (isDone(made)) return made.plan
  }
  await runSteps(engine, made.plan)
  await engine.transaction(() => remember(engine, made))
  return made.plan
}

const pick = ({ steps, findings }: SchemaPlan) => ({ steps, findings })

interface MadePlan {
  readonly plan: SchemaPlan
  readonly changes: PlannedSteps['changes']
  readonly applied: readonly AppliedChange[]
  /** Whether `meta.schema_changes` is there, also if empty. */
  readonly hasLedger: boolean
  readonly declaredSha256: string
}

async function makePlan(engine: Engine, folder = join(packageRoot(), 'schema')): Promise<MadePlan> {
  const declared = readDeclared(engine.dialect, folder)
  const tables: TableDeclaration[] = []
  for (const table of declared.tables) tables.push(await canonical(engine, engine.configured(table)))
  const live = await readLive(engine)
  const hasLedger = live.some(({ name }) => name === META)
  const applied = hasLedger ? await readApplied(engine) : []
  const changes = readChanges(join(folder, 'changes'), engine.dialect)
  const planned = planSteps(tables, live, applied, changes, engine)
  const { steps, findings } = planned
  const hash = sha256(JSON.stringify({ steps, findings, live, applied }))
  return {
    plan: { steps, findings, baseVersion: await engine.version(), hash },
    changes: planned.changes,
    applied,
    hasLedger,
    declaredSha256: declared.sha256,
  }
}

/** A declared view with its SELECT as the engine writes it back, to be compared with the live one. */
async function canonical(engine: Engine, table: TableDeclaration): Promise<TableDeclaration> {
  if (table.kind === 'table' || !engine.canonicalView) return table
  const declared = viewBody(table)
  const written = await engine.canonicalView(declared)
  return { ...table, sql: table.sql.replace(declared, () => written) }
}

async function readLive(engine: Engine): Promise<LiveTable[]> {
  interface Described extends Pick<LiveTable, 'kind' | 'definition'> {
    readonly columns: LiveTable['columns'][number][]
  }
  const tables = new Map<string, Described>()
  for (const [name, column, type, required, kind, definition] of await ledgerRows(engine, 'live-columns')) {
    const table = tables.get(String(name)) ?? {
      kind: kind === 'view' ? 'view' : 'table',
      columns: [],
      definition: definition?.toString(),
    }
    table.columns.push({ name: String(column), type: String(type), required: required === true })
    tables.set(String(name), table)
  }
  const clustering = await ledgerRows(engine, 'live-clustering')
  return [...tables].map(([name, described]) => {
    const own = clustering.filter(([table]) => table === name)
    const named = (wanted: string) =>
      own.filter(([, kind]) => kind === wanted).flatMap(([, , , columns]) => String(columns).split(/, */))
    return { name, ...described, cluster: named('cluster'), partitionMonth: named('partition')[0] }
  })
}

async function readApplied(engine: Engine): Promise<AppliedChange[]> {
  const rows = await ledgerRows(engine, 'schema-changes')
  return rows.map(([number, name, hash]) => ({
    number: Number(number),
    name: String(name),
    sha256: String(hash),
  }))
}

async function remember(engine: Engine, { changes, declaredSha256 }: MadePlan): Promise<void> {
  const appliedAt = new Date().toISOString()
  const rows = [{ number: 0, name: 'base', sha256: declaredSha256 }, ...changes]
  for (const { number, name, sha256 } of rows) {
    await writeLedger(engine, 'record-schema-change', { number, name, sha256, applied_at: appliedAt })
  }
}
