/**
 * Pseudonyms: HMAC-SHA256 under the institution's key, 64 hex digits. `pseudonym` is the reference; the front
 * end computes the same in DuckDB, from the key's pads, for every row.
 */

import { createHash, createHmac, randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { UserError } from './errors.ts'
import { makeFolder, withPath } from './new-file.ts'
import { readPrivate } from './private-file.ts'

/** Whose identifier a value is. Classes other than learner, instructor and email are dropped, not hashed. */
export type PersonalClass = 'learner' | 'instructor' | 'email'

export interface PseudonymKey {
  readonly secret: Buffer
  /** Tells keys apart without telling them: stored with each load. */
  readonly id: string
}

const KEY_BYTES = 32
const BLOCK_BYTES = 64

/** Makes a new key file, 0600. An existing one is never overwritten: EEXIST. */
export function createKey(file: string): PseudonymKey {
  makeFolder(dirname(file), 0o700)
  const secret = randomBytes(KEY_BYTES)
  const handle = openSync(file, 'wx', 0o600)
  try {
    writeFileSync(handle, `${secret.toString('hex')}\n`)
    fsyncSync(handle)
  } catch (error) {
    // On a full disk: half a key would count as one that is damaged.
    rmSync(file, { force: true })
    throw withPath(error, file)
  } finally {
    closeSync(handle)
  }
  return { secret, id: keyId(secret) }
}

/** Reads a key file of 64 hex digits; refuses one that others can read. */
export function readKey(file: string): PseudonymKey {
  let text: string
  try {
    text = readPrivate(file, 'LPA-KEY-OPEN')
  } catch (cause) {
    if (cause instanceof UserError) throw cause
    throw new UserError('LPA-KEY-MISSING', `The pseudonym key ${file} cannot be read.`, {
      exit: 'noInput',
      next: [
        'To begin here: lpa init writes lpa.toml and a key. Then: lpa schema apply',
        'If you have begun elsewhere, run lpa in the folder of your lpa.toml, or name that: --config FILE',
        'If the key lies elsewhere: privacy.key_file in lpa.toml',
      ],
      cause,
    })
  }
  if (!/^[0-9a-f]{64}$/i.test(text)) {
    throw new UserError('LPA-KEY-DAMAGED', `${file} is not a pseudonym key: it must hold 64 hex digits.`, {
      exit: 'config',
      next: 'Restore it from your backup. A new key makes new pseudonyms for everybody.',
    })
  }
  const secret = Buffer.from(text, 'hex')
  return { secret, id: keyId(secret) }
}

function keyId(secret: Buffer): string {
  return createHash('sha256').update('lpa:key-id:').update(secret).digest('hex').slice(0, 16)
}

/**
 * The pseudonym of one value; undefined for one of white space only, which names nobody. Normalised as every engine
 * can: ASCII white space stripped at both ends, e-mail also A-Z to a-z and without `mailto:`; nothing else. E-mail
 * has no id space.
 */
export function pseudonym(
  key: PseudonymKey,
  kind: PersonalClass,
  idSpace: string,
  value: string,
): string | undefined {
  const stripped = value.replace(/^[ \t\n\r\v\f]+|[ \t\n\r\v\f]+$/g, '')
  if (stripped === '') return undefined
  const isEmail = kind === 'email'
  const normal = isEmail
    ? stripped.replace(/[A-Z]/g, (letter) => letter.toLowerCase()).replace(/^mailto:/, '')
    : stripped
  return createHmac('sha256', key.secret)
    .update(`lpa:v1:${kind}:${isEmail ? '' : idSpace}:${normal}`)
    .digest('hex')
}

/** What stands where the pseudonym of an erased person stood, or would: of its length, and nobody's. */
export const ERASED = '0'.repeat(64)

/** Before a pseudonym that is hashed, so that no other hash of it is the same. */
export const HASHED = 'lpa:erased:'

/** A pseudonym can be known again by it, and is not there itself. */
export function erasedHash(pseudonym: string): string {
  return createHash('sha256').update(`${HASHED}${pseudonym}`).digest('hex')
}

/** The key's two HMAC pads as hex: as secret as the key. */
export function pads(key: PseudonymKey): { inner: string; outer: string } {
  const block = Buffer.alloc(BLOCK_BYTES)
  key.secret.copy(block)
  const xor = (byte: number) => Buffer.from(block.map((value) => value ^ byte)).toString('hex')
  return { inner: xor(0x36), outer: xor(0x5c) }
}
