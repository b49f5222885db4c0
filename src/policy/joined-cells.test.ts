/** Sums over windows of rows: which may be told, and that no two of them tell of a part. */

import { describe, expect, test } from 'vitest'
import { isPartTold } from './joined-cells.ts'
import { canBeSolved, mulberry } from './solving.test-support.ts'

describe('a window', () => {
  // Left out are 4, 8, 3 and 20; of few are 4 and 8 together no more.
  const values = [0, 4, 0, 8, 0, 3, 20, 0]
  const tells = (from: number, to: number) => isPartTold(values, 10, from, to)

  test('tells whole groups, and of rows that are shown', () => {
    expect([tells(0, 8), tells(1, 4), tells(5, 7), tells(7, 8), tells(4, 5), tells(-9, 1)]).toEqual(
      Array(6).fill(false),
    )
  })

  test('does not tell a part of a group', () => {
    expect([tells(0, 3), tells(2, 8), tells(6, 8), tells(3, 6)]).toEqual(Array(4).fill(true))
  })

  test('does not tell few, or the only one', () => {
    expect(isPartTold([0, 4, 5], 10, 0, 3)).toBe(true)
    expect(isPartTold([0, 40], 10, 0, 2)).toBe(true)
    expect(isPartTold([0, 40], 10, 0, 1)).toBe(false)
  })
})

const seed = Math.floor(Math.random() * 1e9)
test(`no windows of random days tell together what is left out (seed ${seed})`, () => {
  const random = mulberry(seed)
  for (let round = 0; round < 100; round += 1) {
    const values = Array.from({ length: 14 }, () =>
      random() < 0.5 ? 0 : 1 + Math.floor(random() * (random() < 0.7 ? 9 : 30)),
    )
    const windows = values.flatMap((_, to) =>
      values.slice(0, to + 1).map((_, from) => [from, to + 1] as const),
    )
    const sums = windows
      .filter(([from, to]) => !isPartTold(values, 10, from, to))
      .map(([from, to]) => new Map(values.map((_, at) => [at, at >= from && at < to ? 1 : 0])))
    const isShown = values.map((value) => value === 0)
    for (const [at, value] of values.entries())
      if (value > 0) expect(canBeSolved(at, sums, isShown), `${values}`).toBe(false)
  }
})
