/** The data-quality rules of sql/checks: rows returned are failures. */

import { expand } from '../sql-expand.ts'
import { listSql, readSql } from '../sql-files.ts'
import type { Engine } from '../types.ts'
import { ledgerRows, writeLedger } from './ledger.ts'

export interface CheckOutcome {
  readonly name: string
  readonly title: string
  readonly severity: 'error' | 'warning'
  readonly failures: number
}

/** What people are told of checks that found something: `error in one-key: 2 rows against "All loads are under one key"`. */
export function checkNotes(checks: readonly CheckOutcome[]): string[] {
  return checks
    .filter(({ failures }) => failures > 0)
    .map(
      ({ name, title, severity, failures }) =>
        `${severity} in ${name}: ${failures} ${failures === 1 ? 'row' : 'rows'} against "${title}"`,
    )
}

/** Whether a check of severity error found something when it last ran. */
export async function hasFailedChecks(engine: Engine): Promise<boolean> {
  const known = new Set(listSql('checks'))
  return (await ledgerRows(engine, 'failed-checks')).some(([name]) => known.has(String(name)))
}

/**
 * Runs every check inside the open transaction and notes the results in meta.checks. Checks that compare event by event
 * look at the days of `loads` only. `records` is how many the warehouse holds: most are events.
 */
export async function runChecks(
  engine: Engine,
  runId: string,
  loads: readonly number[],
  records: number,
): Promise<CheckOutcome[]> {
  await engine.temporaryTable('checked_load', {
    columns: [{ name: 'load_id', type: 'integer' }],
    rows: loads.map((id) => [id]),
  })
  const outcomes: CheckOutcome[] = []
  for (const name of listSql('checks')) {
    const file = readSql('checks', name, engine.dialect)
    await engine.expectRows(file.body.includes('learning_event') ? records : 0)
    const { rows } = await engine.query(expand(file.body, engine.dialect))
    outcomes.push({ name, title: file.title, severity: file.severity ?? 'error', failures: rows.length })
  }
  await engine.temporaryTable('check_outcome', {
    columns: [
      { name: 'check_name', type: 'text' },
      { name: 'severity', type: 'text' },
      { name: 'failures', type: 'integer' },
    ],
    rows: outcomes.map(({ name, severity, failures }) => [name, severity, failures]),
  })
  await writeLedger(engine, 'add-checks', { run_id: runId, checked_at: new Date().toISOString() })
  return outcomes
}
