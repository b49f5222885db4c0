/** The history of runs that wrote the warehouse: `meta.runs`. */

import type { Config } from '../config.ts'
import { EXIT, UserError } from '../errors.ts'
import type { RunRecord } from '../run-record.ts'
import type { Cell, Engine, Result } from '../types.ts'
import { queryLedger, recordsOf, withoutColumns, writeLedger } from './ledger.ts'
import { policyUser } from './policy.ts'
import { keepForRecord, withKept } from './warehouse.ts'

/** The work is done by then, so another run that took the lock meanwhile is waited for: by one that was stopped less long. */
const [LOCK_WAIT_MS, STOPPED_WAIT_MS] = [30_000, 2000]

/**
 * What adds the row of this process's run when it has ended, however it ended. One that found the warehouse locked, or
 * could not open it, leaves none. To be made before the warehouse is opened.
 */
export function runRecorder(config: Config): (run: RunRecord) => Promise<void> {
  keepForRecord()
  return async (run) => {
    if (run.exitCode !== EXIT.locked) await withKept(config, (engine) => addRun(config, engine, run))
  }
}

async function addRun(config: Config, engine: Engine, run: RunRecord): Promise<void> {
  await committed(config, engine, run, () =>
    writeLedger(engine, 'record-run', {
      ...endOf(run),
      command: run.command,
      arguments: run.arguments,
      role: run.role ?? null,
      started_at: run.startedAt,
    }),
  )
}

const endOf = (run: RunRecord) => ({
  run_id: run.runId,
  finished_at: run.finishedAt,
  exit_code: run.exitCode,
  summary: run.summary,
})

async function committed(
  config: Config,
  engine: Engine,
  { exitCode }: RunRecord,
  write: () => Promise<unknown>,
): Promise<void> {
  const isDone = exitCode === EXIT.done || exitCode === EXIT.findings
  await engine.transaction(write, {
    rows: 1,
    lockWaitMs: Math.max(config.load.lockWaitMs, isDone ? LOCK_WAIT_MS : STOPPED_WAIT_MS),
  })
}

/** The same of a question: with who asked it. */
export function recordQuestion(
  config: Config,
  run: RunRecord,
  tables: readonly string[] = [],
): Promise<void> {
  return runRecorder(config)(askedBy(config, run, tables))
}

/** Of a question that was recorded before it was answered: that it was not, and why. */
export async function recordRefusal(config: Config, run: RunRecord): Promise<void> {
  if (run.exitCode === EXIT.done) return
  await withKept(config, (engine) =>
    committed(config, engine, run, () => writeLedger(engine, 'record-end', endOf(askedBy(config, run)))),
  )
}

function askedBy(config: Config, run: RunRecord, tables: readonly string[] = []): RunRecord {
  const who = `asked by ${policyUser(config)}${run.role === undefined ? '' : ` as ${run.role}`}`
  const asked = tables.length > 0 ? `${who} of ${tables.join(', ')}` : who
  return { ...run, summary: [run.summary, asked].filter(Boolean).join('; ') }
}

/** The last runs, newest first: run_id, started_at, seconds, command, exit_code, summary. */
export function listRuns(engine: Engine, limit: number): Promise<Result> {
  return queryLedger(engine, 'runs', { limit })
}

/** The same for people: a run's id begins with the time at which it started. */
export function runsTable(runs: Result): Result {
  return withoutColumns(runs, ['started_at'])
}

export interface ShownRun {
  /** The row of `meta.runs`. */
  readonly run: Readonly<Record<string, Cell>>
  /** A row for each load that the run committed. */
  readonly loads: Result
}

/** @throws UserError LPA-RUNS-UNKNOWN (usage) */
export async function showRun(engine: Engine, runId: string): Promise<ShownRun> {
  const [run] = recordsOf(await queryLedger(engine, 'run', { run_id: runId }))
  if (!run) {
    throw new UserError('LPA-RUNS-UNKNOWN', `There is no run ${runId}.`, {
      exit: 'usage',
      next: 'See which there are: lpa runs',
    })
  }
  return { run, loads: await queryLedger(engine, 'run-loads', { run_id: runId }) }
}
