import { expect, it } from 'vitest'
import { BLANK_ESCAPES } from './stream-select.ts'

it('knows each blank that is not ASCII by its escape, in capitals too, and nothing else', () => {
  const numbers = [...Array(0x10000).keys()].filter((number) => number > 0x9f)
  const escaped = (number: number) => `\\u${number.toString(16).padStart(4, '0')}`
  const pattern = new RegExp(`^${BLANK_ESCAPES}$`)
  const found = numbers.filter((number) => pattern.test(escaped(number)))
  expect(found).toEqual(numbers.filter((number) => /[\s\p{Z}]/u.test(String.fromCharCode(number))))
  expect(found.every((number) => pattern.test(escaped(number).toUpperCase().replace('U', 'u')))).toBe(true)
})
