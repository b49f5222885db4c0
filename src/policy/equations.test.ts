/** Which unknowns equations tell, against ranks. */

import { expect, test } from 'vitest'
import { determined } from './equations.ts'
import { canBeSolved, mulberry } from './solving.test-support.ts'

const seed = Math.floor(Math.random() * 1e9)

test(`of random equations (seed ${seed})`, () => {
  const random = mulberry(seed)
  const pick = (most: number) => Math.floor(random() * (most + 1))
  let told = 0
  for (let round = 0; round < 2000; round += 1) {
    const cells = 2 + pick(8)
    const equations = Array.from({ length: 1 + pick(cells) }, () => {
      const terms = Array.from(
        { length: 1 + pick(3) },
        () => [pick(cells - 1), pick(1) === 0 ? 1 : -1] as const,
      )
      return new Map(terms)
    })
    const isShown = Array.from({ length: cells }, () => pick(3) === 0)
    const found = determined(equations, (cell) => isShown[cell] === false)
    const expected = isShown.flatMap((one, cell) =>
      !one && canBeSolved(cell, equations, isShown) ? [cell] : [],
    )
    expect(
      found.map(({ cell }) => cell).sort((a, b) => a - b),
      `round ${round}`,
    ).toEqual(expected)
    for (const { cell, cells: from } of found) expect(from.has(cell)).toBe(true)
    told += found.length
  }
  expect(told).toBeGreaterThan(500)
})
