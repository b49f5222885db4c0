import { describe, expect, it } from 'vitest'
import { durationText, formatDuration, parseDuration } from './duration.ts'

describe('parseDuration', () => {
  it.each([
    ['0', 0],
    ['0s', 0],
    ['500ms', 500],
    ['30s', 30_000],
    ['1.5 h', 5_400_000],
    ['5m', 300_000],
    ['5min', 300_000],
    ['2d', 172_800_000],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text, '--lock-wait')).toBe(ms)
  })

  it.each(['', '5', '-5s', '5 weeks', '1h30m', 's', 'NaNs'])('refuses %j', (text) => {
    expect(() => parseDuration(text, '--lock-wait')).toThrow(/^--lock-wait is .* not a duration/)
  })
})

it.each([
  [0, '0.00 s'],
  [432, '0.43 s'],
  [4321, '4.3 s'],
  [43_210, '43 s'],
  [59_900, '1 min 0 s'],
  [200_000, '3 min 20 s'],
  [7_500_000, '2 h 5 min'],
])('formatDuration(%d) is %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text)
})

it.each([
  [0, '0s'],
  [1, '1ms'],
  [1500, '1500ms'],
  [90_000, '90s'],
  [600_000, '10m'],
  [172_800_000, '2d'],
])('durationText(%d) is %s, which is read as the same', (ms, text) => {
  expect(durationText(ms)).toBe(text)
  expect(parseDuration(text, '')).toBe(ms)
})
