/** Which pseudonym key is used, a new one in its place, and what lies under others. The key itself is never shown. */

import type { Config } from '../config.ts'
import { UserError } from '../errors.ts'
import { keptKeys, type Rotation, rotateKey, wayBack } from '../key-rotation.ts'
import { readKey } from '../pseudonym.ts'
import type { Engine } from '../types.ts'
import { countErased } from './erased.ts'
import { ignoreKept } from './init.ts'
import { ledgerRows } from './ledger.ts'
import { type Reload, readOtherLoads, reloadsOf } from './reload.ts'
import { withWarehouse } from './warehouse.ts'

export interface KeyStatus {
  readonly file: string
  readonly keyId: string
  /** Loads that count, by key id; empty before the first load. */
  readonly loads: readonly { readonly keyId: string; readonly loads: number }[]
  /** What loads the inputs of loads under other keys again. */
  readonly reload: readonly Reload[]
  /** Keys that rotations kept beside this one. */
  readonly kept: readonly { readonly file: string; readonly keyId: string }[]
  /** Pseudonyms of erased learners, under any key. */
  readonly erased: number
}

/** @throws UserError LPA-KEY-MISSING, LPA-KEY-OPEN, LPA-KEY-DAMAGED */
export async function showKey(config: Config, signal: AbortSignal): Promise<KeyStatus> {
  const file = config.privacy.keyFile
  const keyId = readKey(file).id
  const found = await inWarehouse(config, signal, async (engine) => ({
    loads: await ledgerRows(engine, 'loads-by-key'),
    others: await readOtherLoads(engine, keyId),
    erased: await countErased(engine),
  }))
  return {
    ...{ file, keyId },
    loads: (found?.loads ?? []).map(([id, loads]) => ({ keyId: String(id), loads: Number(loads) })),
    reload: reloadsOf(found?.others ?? [], config, process.cwd()),
    kept: keptKeys(file).filter((kept) => kept.keyId !== keyId),
    erased: found?.erased ?? 0,
  }
}

/** Loads made with other keys: the same people have other pseudonyms there. */
export function loadsOfOtherKeys(key: KeyStatus): number {
  return key.loads.filter(({ keyId }) => keyId !== key.keyId).reduce((sum, { loads }) => sum + loads, 0)
}

/** For people: what to do about loads under other keys, or about keys that are no longer needed. One step a line. */
export function keyAdvice(key: KeyStatus): readonly string[] {
  if (key.reload.length > 0) return ['Load again:', ...key.reload.map(({ command }) => `  ${command}`)]
  return key.kept.map(({ file }) =>
    key.erased > 0
      ? `Loads may know erased learners by ${file} alone. Before you delete it, erase them again: lpa erase --from … --apply`
      : `No load needs the old key any more: rm ${file}`,
  )
}

export interface RotatedKey extends Rotation {
  readonly reload: readonly Reload[]
  /** Pseudonyms of erased learners, of keys before this one. */
  readonly erased: number
}

/**
 * Puts a new key in place of the old one and tells what has to be loaded again. The warehouse is asked first: one that
 * cannot be read leaves the key as it is.
 * @throws UserError as readKey and rotateKey do
 */
export async function replaceKey(config: Config, signal: AbortSignal): Promise<RotatedKey> {
  const { keyFile } = config.privacy
  readKey(keyFile)
  const found = await inWarehouse(config, signal, async (engine) => ({
    // Of every key: the new one has none yet.
    loads: await readOtherLoads(engine, ''),
    erased: await countErased(engine),
  }))
  ignoreKept(config)
  const rotation = rotateKey(keyFile)
  return {
    ...rotation,
    reload: reloadsOf(found?.loads ?? [], config, process.cwd()),
    erased: found?.erased ?? 0,
  }
}

/** For people: what was done and what is to be done, one step a line; the commands that load again stand above it. */
export function rotationAdvice({ oldKeyId, newKeyId, file, kept, reload, erased }: RotatedKey): string[] {
  const lines = [`${file} is now ${newKeyId}: back it up.`, `The old key, ${oldKeyId}, is kept in ${kept}.`]
  const missing = reload.flatMap((step) => step.missing)
  if (reload.length === 0) {
    lines.push(
      erased > 0 ? 'Nothing that was loaded with it is left.' : 'Nothing was loaded with it: delete it.',
    )
  } else {
    lines.push(
      'Until everything is loaded again, by the commands above, the same learners count twice.',
      'Then: lpa batch; lpa key show says when nothing needs the old key any more: delete it then.',
    )
  }
  if (missing.length > 0) {
    const some = missing.slice(0, 3).join(', ') + (missing.length > 3 ? ', …' : '')
    lines.push(
      `${missing.length} of the inputs are not there: ${some}. Restore them first.`,
      `Without them, go back to the old key: ${wayBack(file, newKeyId, kept)}`,
    )
  }
  if (erased > 0) {
    lines.push(
      `${erased} pseudonyms of erased learners are known under old keys only. Loads leave them out while these are kept beside the new one.`,
      'Before you delete an old key, erase the same learners again: lpa erase --from … --apply',
    )
  }
  return lines
}

/** What the warehouse says; undefined when there is none yet. */
async function inWarehouse<T>(
  config: Config,
  signal: AbortSignal,
  ask: (engine: Engine) => Promise<T>,
): Promise<T | undefined> {
  try {
    return await withWarehouse(config, 'read', signal, ask)
  } catch (error) {
    if (error instanceof UserError && error.code === 'LPA-WAREHOUSE-MISSING') return undefined
    throw error
  }
}
