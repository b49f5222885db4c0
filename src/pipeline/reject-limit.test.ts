import { expect, test } from 'vitest'
import { tooManyRejects } from './reject-limit.ts'

test('what several mappings reject for one reason is told once, and five reasons at most', () => {
  const reason = (line: number, count = 1) => ({ code: 'c', reason: 'is bad', count, first: `f:${line}` })
  const error = tooManyRejects(
    'm',
    [5, 5, 3, 5, 1, 2, 4, 6].map((line) => reason(line)),
    ['Mend it.'],
    'f',
  )
  const told = [5, 3, 1, 2, 4].map((line) => `f:${line}: is bad (1 ×)`)
  expect(error).toMatchObject({ where: 'f:5', next: [...told, 'Mend it.'] })
})
