import { expect, test } from 'vitest'
import { toUtf8 } from './input.ts'

test.each([
  ['a.csv', 'utf8.csv'],
  ['a.JSONL', 'utf8.JSONL'],
  ['-', 'utf8.csv'],
])('what %s is converted to has a name that tells the format', (name, converted) => {
  expect(toUtf8(name, 'UTF-16')).toMatch(new RegExp(`> ${converted}$`))
})
