/** Which pseudonym key is used, and whether the loads were made with it. The key itself is never shown. */

import type { Config } from '../config.ts'
import { UserError } from '../errors.ts'
import { readKey } from '../pseudonym.ts'
import { ledgerRows } from './ledger.ts'
import { withWarehouse } from './warehouse.ts'

export interface KeyStatus {
  readonly file: string
  readonly keyId: string
  /** Loads that count, by key id; empty before the first load. */
  readonly loads: readonly { readonly keyId: string; readonly loads: number }[]
}

/** @throws UserError LPA-KEY-MISSING, LPA-KEY-OPEN, LPA-KEY-DAMAGED */
export async function showKey(config: Config, signal: AbortSignal): Promise<KeyStatus> {
  const file = config.privacy.keyFile
  return { file, keyId: readKey(file).id, loads: await loadsByKey(config, signal) }
}

async function loadsByKey(config: Config, signal: AbortSignal): Promise<KeyStatus['loads']> {
  try {
    const rows = await withWarehouse(config, 'read', signal, (engine) => ledgerRows(engine, 'loads-by-key'))
    return rows.map(([keyId, loads]) => ({ keyId: String(keyId), loads: Number(loads) }))
  } catch (error) {
    if (error instanceof UserError && error.code === 'LPA-WAREHOUSE-MISSING') return []
    throw error
  }
}

/** Loads made with other keys: the same people have other pseudonyms there. */
export function loadsOfOtherKeys(key: KeyStatus): number {
  return key.loads.filter(({ keyId }) => keyId !== key.keyId).reduce((sum, { loads }) => sum + loads, 0)
}
