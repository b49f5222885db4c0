/** Records that Spark must not write in clear and the embedded engine has to read: sealed under the pseudonym key. */

import { createDecipheriv, hkdfSync } from 'node:crypto'
import { UserError } from '../../errors.ts'
import type { PseudonymKey } from '../../pseudonym.ts'

const [NONCE_BYTES, TAG_BYTES] = [12, 16]

/** AES-256-GCM. */
export function sealingKey({ secret }: PseudonymKey): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', 'lpa:v1:stream', 32))
}

/** @throws UserError config (78) when it was sealed under another key */
export function unsealed(key: PseudonymKey, sealed: Uint8Array): Buffer {
  try {
    const decipher = createDecipheriv('aes-256-gcm', sealingKey(key), sealed.subarray(0, NONCE_BYTES))
    decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()])
  } catch (cause) {
    throw new UserError('LPA-STREAM-KEY', 'Spark has read these records under another pseudonym key.', {
      exit: 'config',
      next: [
        'If the key was changed on purpose: --reset-offsets',
        'If not, restore the key from your backup.',
      ],
      cause,
    })
  }
}
