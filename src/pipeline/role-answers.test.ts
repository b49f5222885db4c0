import { expect, test } from 'vitest'
import type { Result } from '../types.ts'
import { withheldFrom, withMarks } from './role-answers.ts'

const ANSWER: Result = {
  columns: ['course_id', 'completed', 'mean'].map((name) => ({ name, type: 'text' })),
  rows: [
    ['a', null, null],
    ['b', 12, null],
  ],
  hidden: [
    [0, 1],
    [1, 2],
  ],
}

test('people can tell what is left out from what is missing', () => {
  expect(withMarks(ANSWER)).toMatchObject({
    rows: [
      ['a', '*', null],
      ['b', 12, '*'],
    ],
  })
  const { hidden: _, ...whole } = ANSWER
  expect(withMarks(whole)).toBe(whole)
})

test('whatever the format, it is said how many are left out, and as what', () => {
  const role = { role: 'r', user: 'u', minCell: 10, mayReveal: false, tables: [], missingAttributes: [] }
  expect(withheldFrom(role, ANSWER)).toEqual([
    '2 values are left out: they would tell of fewer than 10 learners. In a table they are *, in JSON null, in CSV empty.',
  ])
  expect(withheldFrom(role)).toEqual([])
})
