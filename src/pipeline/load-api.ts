/** An HTTP API as an input of a load: from where its last load ended, or from its beginning. */

import type { ApiSettings } from '../config/api.ts'
import { UserError } from '../errors.ts'
import type { PseudonymKey } from '../pseudonym.ts'
import type { Input } from '../sources/input.ts'
import { type Mapping, readMapping } from '../sources/mapping.ts'
import type { Engine } from '../types.ts'
import type { PlannedInput } from './load-inputs.ts'

export interface ApiOpening {
  readonly engine: Engine
  readonly key: PseudonymKey
  /** From the beginning, in place of what was loaded before. */
  readonly full: boolean
  readonly signal: AbortSignal
  readonly onWait: (line: string) => void
}

/**
 * @returns undefined when the API holds nothing, or nothing new
 * @throws UserError data (65) when that would take away what was loaded before; what `openClient` and `pagesOf` throw
 */
export async function openPlannedApi(
  { path, source, mappings }: PlannedInput,
  settings: ApiSettings,
  { engine, key, full, signal, onWait }: ApiOpening,
): Promise<Input | undefined> {
  const { openApi } = await import('../sources/api/input.ts')
  const named = mappings.map(readMapping)
  refusePartOfSnapshot(settings, path, named)
  // Two mappings may read one API, each as far as it has come.
  const mapping = named.length === 1 ? named[0]?.name : undefined
  const after = full ? undefined : await engine.lastCursor(source, mapping)
  const input = await openApi({ settings, key, after, signal, onWait })
  if (!input && (full || named.some((mapping) => mapping.export === 'snapshot'))) {
    throw new UserError(
      'LPA-API-EMPTY',
      'It answers no records, and would take away what was loaded before.',
      {
        exit: 'data',
        where: path,
        next: 'Check uri, records and the permissions of the credentials. Nothing was changed.',
      },
    )
  }
  return input
}

/** @throws UserError config (78) when only what is new would take the place of everything */
export function refusePartOfSnapshot(
  { since, resume }: ApiSettings,
  path: string,
  mappings: readonly Mapping[],
): void {
  const snapshot = mappings.find((mapping) => mapping.export === 'snapshot')
  if (!snapshot || (since === undefined && !resume)) return
  throw new UserError('LPA-API-SNAPSHOT', 'What is new since the last load is no snapshot of everything.', {
    exit: 'config',
    where: path,
    next: `Take ${resume ? 'resume' : 'since'} out of the source, or say in ${snapshot.path}: -- export: append`,
  })
}
