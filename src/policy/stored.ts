/** The statements that change the policy which the embedded engine keeps, all in one transaction. */

import { quoteText } from '../duckdb.ts'
import { readSql } from '../sql-files.ts'
import type { PhasedStep, PolicyChange } from './plan.ts'
import { objectOf } from './plan.ts'
import type { PolicyObject } from './policy.ts'

/** What is removed goes first, so that a changed object is there once. */
export function writeStored(changes: readonly PolicyChange[]): readonly PhasedStep[] {
  return changes.map((change) => {
    const { kind, name } = objectOf(change)
    const sql = [
      ...(change.action === 'add' ? [] : [statement('remove-policy-object', change.live)]),
      ...(change.action === 'remove' ? [] : [statement('add-policy-object', change.wanted)]),
    ]
    return { action: change.action, kind, name, sql, phase: change.action === 'remove' ? 0 : 1 }
  })
}

/** A script of `sql/ledger` with its values in it: a plan is read by people. */
function statement(script: string, { kind, name, definition }: PolicyObject): string {
  const values: Readonly<Record<string, string>> = {
    $kind: quoteText(kind),
    $name: quoteText(name),
    $definition: quoteText(definition),
    $applied_at: `current_timestamp at time zone 'UTC'`,
  }
  return readSql('ledger', script, 'duckdb').body.replaceAll(/\$\w+/g, (key) => values[key] ?? key)
}
