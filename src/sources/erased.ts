/** Learners who were erased: whatever is loaded afterwards names nobody in their place. */

import { ERASED, HASHED, type PseudonymKey, pads } from '../pseudonym.ts'

export interface ErasedPeople {
  /** What `meta.erased` has of their pseudonyms. */
  readonly hashes: readonly string[]
  /** Keys that rotations kept: those who were erased under one are known by it only. */
  readonly earlierKeys: readonly PseudonymKey[]
}

export const NOBODY: ErasedPeople = { hashes: [], earlierKeys: [] }

/**
 * Statements that make `lpa_hmac(message)`, the pseudonym under the key, or ERASED where somebody was erased who has it
 * under this key or an earlier one.
 */
export function pseudonymMacros(key: PseudonymKey, { hashes, earlierKeys }: ErasedPeople): string[] {
  if (hashes.length === 0) return digestMacro('lpa_hmac', key)
  const earlier = earlierKeys.map((each, place) => ({ each, suffix: `_${place + 1}` }))
  const digests = ['lpa_digest', ...earlier.map(({ suffix }) => `lpa_digest${suffix}`)]
  const isErased = digests.map(
    (digest) => `list_contains(getvariable('lpa_erased'), sha256('${HASHED}' || ${digest}(message)))`,
  )
  return [
    ...digestMacro('lpa_digest', key),
    ...earlier.flatMap(({ each, suffix }) => digestMacro(`lpa_digest${suffix}`, each, suffix)),
    `set variable lpa_erased = [${hashes.map((hash) => `'${hash}'`).join(', ')}]`,
    `create temp macro lpa_hmac(message) as
      case when ${isErased.join(' or ')} then '${ERASED}' else lpa_digest(message) end`,
  ]
}

function digestMacro(name: string, key: PseudonymKey, suffix = ''): string[] {
  const { inner, outer } = pads(key)
  const [innerPad, outerPad] = [`lpa_inner${suffix}`, `lpa_outer${suffix}`]
  return [
    `set variable ${innerPad} = unhex('${inner}'); set variable ${outerPad} = unhex('${outer}')`,
    `create temp macro ${name}(message) as
      sha256(getvariable('${outerPad}') || unhex(sha256(getvariable('${innerPad}') || encode(message))))`,
  ]
}
