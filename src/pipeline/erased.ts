/** Who is not to come back, as `meta.erased` remembers them: asked before anything is staged, and again at its commit. */

import { UserError } from '../errors.ts'
import { keptKeys } from '../key-rotation.ts'
import { type PseudonymKey, readKey } from '../pseudonym.ts'
import { type ErasedPeople, NOBODY } from '../sources/erased.ts'
import type { Engine } from '../types.ts'
import { ledgerRows } from './ledger.ts'

/** @throws UserError LPA-KEY-… of a kept key, by which those are known who were erased under it */
export async function readErased(engine: Engine, keyFile: string, key: PseudonymKey): Promise<ErasedPeople> {
  const hashes = await erasedHashes(engine)
  if (hashes.length === 0) return NOBODY
  return { hashes, earlierKeys: earlierKeys(keyFile, key) }
}

export async function erasedHashes(engine: Engine): Promise<string[]> {
  return (await ledgerRows(engine, 'erased-hashes')).map(([hash]) => String(hash))
}

export function earlierKeys(keyFile: string, key: PseudonymKey): PseudonymKey[] {
  return keptKeys(keyFile)
    .filter(({ keyId }) => keyId !== key.id)
    .map(({ file }) => readKey(file))
}

/**
 * Inside the transaction that brings what was staged: an erasure between the two does not know these rows.
 * @throws UserError locked (75)
 */
export async function assertSameErased(
  engine: Engine,
  { hashes }: Pick<ErasedPeople, 'hashes'>,
): Promise<void> {
  if ((await countErased(engine)) === hashes.length) return
  throw new UserError('LPA-LOAD-ERASED', 'Learners were erased while this was read: it may hold them.', {
    exit: 'locked',
    next: 'Nothing of it was committed. Run it again, and it leaves them out.',
  })
}

/**
 * Of what Spark pseudonymises: it does not know who is not to come back.
 * @throws UserError config (78)
 */
export function assertNobodyErased({ hashes }: ErasedPeople): void {
  if (hashes.length > 0) throw erasedForSpark()
}

export function erasedForSpark(): UserError {
  return new UserError(
    'LPA-SPARK-ERASED',
    'Learners were erased from this warehouse, and Spark does not know whom.',
    {
      exit: 'config',
      next: [
        'Without --engine they are left out.',
        'A topic that Spark has read is then read from its beginning: its events without an id count twice, unless --from TIME.',
      ],
    },
  )
}

/** Pseudonyms, of which an erased learner may have several. */
export async function countErased(engine: Engine): Promise<number> {
  return Number((await ledgerRows(engine, 'erased'))[0]?.[0] ?? 0)
}
