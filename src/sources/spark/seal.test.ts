import { createCipheriv, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { sealingKey, unsealed } from './seal.ts'

const key = { secret: Buffer.alloc(32, 7), id: 'a' }

/** As Spark's aes_encrypt does. */
function sealed(text: string): Buffer {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', sealingKey(key), nonce)
  return Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()])
}

test.each(['', '{"learner_id":"S0000001"}', 'ü'.repeat(100_000)])('what was sealed is opened', (text) => {
  expect(unsealed(key, sealed(text)).toString('utf8')).toBe(text)
})

test('not by another key, and not when it was changed', () => {
  const bytes = sealed('{"learner_id":"S0000001"}')
  const other = { secret: Buffer.alloc(32, 8), id: 'b' }
  expect(() => unsealed(other, bytes)).toThrow('another pseudonym key')
  bytes[20] = (bytes[20] ?? 0) ^ 1
  expect(() => unsealed(key, bytes)).toThrow('another pseudonym key')
})
