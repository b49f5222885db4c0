import { expect, test } from 'vitest'
import { sealedLikeSpark } from '../records-elsewhere.test-support.ts'
import { unsealed } from './seal.ts'

const key = { secret: Buffer.alloc(32, 7), id: 'a' }

test.each(['', '{"learner_id":"S0000001"}', 'ü'.repeat(100_000)])('what was sealed is opened', (text) => {
  expect(unsealed(key, sealedLikeSpark(key, text)).toString('utf8')).toBe(text)
})

test('not by another key, and not when it was changed', () => {
  const bytes = sealedLikeSpark(key, '{"learner_id":"S0000001"}')
  const other = { secret: Buffer.alloc(32, 8), id: 'b' }
  expect(() => unsealed(other, bytes)).toThrow('another pseudonym key')
  bytes[20] = (bytes[20] ?? 0) ^ 1
  expect(() => unsealed(key, bytes)).toThrow('another pseudonym key')
})
