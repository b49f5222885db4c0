/** doctor's house-keeping: what keeps a warehouse small and quick, told as a plan, or done. */

import type { Config } from '../config.ts'
import { durationText } from '../duration.ts'
import { asUserError } from '../failure.ts'
import type { Engine, Upkeep } from '../types.ts'
import { asFinding, type Diagnosis, inBytes } from './diagnosis.ts'

export async function examineUpkeep(
  engine: Engine,
  config: Config,
  fix: boolean,
  { facts, findings, planned, fixed }: Diagnosis,
): Promise<void> {
  if (!engine.planUpkeep || !engine.upkeep) {
    const value = 'none: this engine merges its files and forgets older states by itself'
    if (fix) facts.push({ area: 'warehouse', name: 'upkeep', value })
    return
  }
  const policy = `of each hour the last stays, for ${durationText(config.warehouse.timeTravelMs)}`
  // What was kept so far goes only where somebody has said how long it is to be kept.
  const expires = config.origin['warehouse.time_travel'] !== 'default'
  if (!fix) {
    planned.push(...lines(await engine.planUpkeep({ expires }), policy))
    return
  }
  const { failure, ...kept } = await engine.upkeep({ expires })
  const done = lines(kept, policy)
  fixed.push(...done)
  if (done.length > 0) fixed.push(sizeLine(kept.freedBytes))
  if (failure !== undefined) findings.push(asFinding(asUserError(failure)))
}

/** A plan and what was done read alike. */
function lines({ files, rows, states, unneeded, freeBytes }: Upkeep, policy: string): string[] {
  const counted = (count: number, one: string, more: string) =>
    count === 0 ? [] : [`${count.toLocaleString('en')} ${count === 1 ? one : more}`]
  return [
    ...counted(files, 'small file: merged', 'small files: merged'),
    ...counted(rows, 'row in the catalog: moved to a file', 'rows in the catalog: moved to files'),
    ...counted(states, 'older state: expired', 'older states: expired').map((line) => `${line}; ${policy}`),
    ...counted(unneeded, 'file that no state needs: removed', 'files that no state needs: removed'),
    ...(freeBytes > 0 ? [`${inBytes(freeBytes)} of the catalog are free: written anew`] : []),
  ]
}

function sizeLine(freedBytes: number): string {
  if (freedBytes >= 0) return `${inBytes(freedBytes)} freed`
  return `${inBytes(-freedBytes)} more: older states, and for an hour readers, may still need the files that were merged`
}
