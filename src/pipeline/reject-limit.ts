/** `--max-rejects`: a number of records, or a share of those read. */

import { UserError } from '../errors.ts'
import { toUtf8 } from '../sources/input.ts'
import type { Counts } from '../types.ts'

/** What was rejected: reason, how often, and where first. */
export interface RejectReason {
  readonly code: string
  readonly reason: string
  readonly count: number
  readonly first: string
}

/** How many of the records that were read may be rejected. */
export function allowedRejects(limit: string, read: number): number {
  const share = /^(\d+(?:\.\d+)?)\s*%$/.exec(limit)
  return share ? Math.floor((read * Number(share[1])) / 100) : Number(limit)
}

/** @throws UserError data (65) when more records of an input are bad than the limit says */
export function assertRejects(
  input: string,
  { read, rejected }: Counts,
  limit: string,
  all: readonly RejectReason[],
): void {
  if (rejected <= allowedRejects(limit, read)) return
  throw tooManyRejects(
    `${rejected} of ${read} records are bad, more than the limit of ${limit}. Nothing was loaded.`,
    all,
    [
      ...mends(input, all.slice(0, 5)),
      rejected === read
        ? 'None can be loaded: mend the mapping, or the export.'
        : `Mend the export, or allow so many: --max-rejects ${rejected}`,
    ],
    input,
  )
}

export function tooManyRejects(
  message: string,
  reasons: readonly RejectReason[],
  next: readonly string[],
  input: string,
): UserError {
  // Several mappings may read one input, and reject a record for the same reason.
  const each = new Map(
    reasons.map((reason) => [`${reason.first}: ${reason.reason} (${reason.count} ×)`, reason]),
  )
  const some = [...each].slice(0, 5)
  return new UserError('LPA-LOAD-REJECTS', message, {
    exit: 'data',
    where: some[0]?.[1].first ?? input,
    next: [...some.map(([told]) => told), ...next],
  })
}

/** What to do about reasons that many exports share. */
function mends(input: string, reasons: readonly RejectReason[]): string[] {
  const has = (pattern: RegExp) => reasons.some(({ code, reason }) => pattern.test(`${code} ${reason}`))
  return [
    ...(has(/^record:encoding/) ? [toUtf8(input)] : []),
    ...(has(/ is not a (time|date)/)
      ? ["Dates such as 31.12.2026 are read by the mapping: try_strptime(COLUMN, '%d.%m.%Y')"]
      : []),
  ]
}
