/** The data-quality rules of sql/checks: rows returned are failures. */

import { expand } from '../sql-expand.ts'
import { listSql, readSql } from '../sql-files.ts'
import type { Engine } from '../types.ts'
import { writeLedger } from './ledger.ts'

export interface CheckOutcome {
  readonly name: string
  readonly title: string
  readonly severity: 'error' | 'warning'
  readonly failures: number
}

/** Runs every check inside the open transaction and notes the results in meta.checks. */
export async function runChecks(engine: Engine, runId: string): Promise<CheckOutcome[]> {
  const outcomes: CheckOutcome[] = []
  for (const name of listSql('checks')) {
    const file = readSql('checks', name, engine.dialect)
    const { rows } = await engine.query(expand(file.body, engine.dialect))
    outcomes.push({ name, title: file.title, severity: file.severity ?? 'error', failures: rows.length })
  }
  for (const { name, severity, failures } of outcomes) {
    await writeLedger(engine, 'add-check', {
      run_id: runId,
      check_name: name,
      severity,
      failures,
      checked_at: new Date().toISOString(),
    })
  }
  return outcomes
}
