import { expect, test } from 'vitest'
import { OddLines } from './odd-lines.ts'

const TEXT = 'one\n\n \t\ntwo\r\nthree\nfour'

test.each([1, 2, 3, 7, 100])('wanted lines go by, whatever pieces of %d bytes the text comes in', (size) => {
  const lines = new OddLines([2, 4], false)
  const bytes = Buffer.from(TEXT)
  const picked = []
  for (let at = 0; at < bytes.length; at += size) picked.push(lines.push(bytes.subarray(at, at + size)))
  picked.push(lines.end())
  expect(Buffer.concat(picked).toString()).toBe('two\r\nfour\n')
})

test('in CSV an empty line is no row, ended by CRLF neither', () => {
  const lines = new OddLines([2], true)
  expect(lines.push(Buffer.from('a\r\n\r\n\nb\r\nc\r\n')).toString()).toBe('b\r\n')
})

test('in CSV a line of blanks is a row', () => {
  const lines = new OddLines([2], true)
  expect(lines.push(Buffer.from(TEXT)).toString()).toBe(' \t\n')
})
