/** The quarantine: records that could not be mapped, in `raw.rejected_rows`. Nothing in it is personal. */

import { UserError } from '../errors.ts'
import type { Cell, Engine, Result } from '../types.ts'
import { queryLedger, recordsOf, withoutColumns } from './ledger.ts'

export interface RejectsFilter {
  readonly source?: string | undefined
  /** A reason code, `TYPE_score`. */
  readonly reason?: string | undefined
  readonly loadId?: number | undefined
  readonly limit: number
}

/** A row for each source, reason and column: how many records, in how many loads. */
export function countRejects(engine: Engine, source?: string): Promise<Result> {
  return queryLedger(engine, 'reject-reasons', { source: source ?? null })
}

/** Rejected records, newest load first, in the order of their file. */
export function listRejects(engine: Engine, filter: RejectsFilter): Promise<Result> {
  const { source = null, reason = null, loadId: load = null, limit } = filter
  return queryLedger(engine, 'rejects', { source, reason, load, limit })
}

/** The same for people: what names the record and why, which tells source, code and column too. */
export function rejectsTable(rejects: Result): Result {
  return withoutColumns(rejects, ['source', 'reason_code', 'column_name'])
}

/**
 * All that is kept of one record, by its load and position (`events.ndjson:12`, or only `12` when the load had one
 * file): an object for each reason against it.
 * @throws UserError LPA-REJECTS-UNKNOWN (usage)
 */
export async function showReject(
  engine: Engine,
  loadId: number,
  position: string,
): Promise<Readonly<Record<string, Cell>>[]> {
  const ending = `%:${position.replace(/[!%_]/g, '!$&')}`
  const found = recordsOf(await queryLedger(engine, 'reject', { load: loadId, position, ending }))
  if (found.length > 0) return found
  throw new UserError('LPA-REJECTS-UNKNOWN', `Load ${loadId} rejected no record at ${position}.`, {
    exit: 'usage',
    next: `See what it rejected: lpa rejects list --load ${loadId}`,
  })
}
