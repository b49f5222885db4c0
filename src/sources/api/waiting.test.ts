import { expect, test } from 'vitest'
import { backoffMs, retryAfterMs } from './waiting.ts'

const NOW = Date.parse('2026-01-12T08:00:00Z')

test.each([
  ['0', 0],
  ['120', 120_000],
  [' 7 ', 7000],
  ['Mon, 12 Jan 2026 08:00:30 GMT', 30_000],
  ['Monday, 12-Jan-26 08:00:30 GMT', 30_000],
  // Over already.
  ['Mon, 12 Jan 2026 07:00:00 GMT', 0],
  ['-5', undefined],
  ['1.5', undefined],
  ['soon', undefined],
  ['2026', 2_026_000],
  ['2026-01-12', undefined],
  ['', undefined],
  [undefined, undefined],
])('Retry-After: %s', (header, expected) => {
  expect(retryAfterMs(header, NOW)).toBe(expected)
})

test('backoff doubles up to a minute, half of it by chance', () => {
  expect([1, 2, 3, 4].map((attempt) => backoffMs(attempt, 1000, 1))).toEqual([1000, 2000, 4000, 8000])
  expect(backoffMs(3, 1000, 0)).toBe(2000)
  expect(backoffMs(30, 1000, 1)).toBe(60_000)
})
