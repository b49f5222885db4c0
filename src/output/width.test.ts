import stringWidth from 'string-width'
import { describe, expect, it } from 'vitest'
import { cut, fold } from './width.ts'

const TEXTS = [
  '',
  'a',
  'Intro to SQL for people who have never seen a database',
  '20260112-081322-4f2a91',
  'https://lms.campus.example/courses/PHY101',
  'x'.repeat(70),
  '東京大学データサイエンス入門講座',
  '👩‍👩‍👧 families 👍🏽 and 🏳️‍🌈 flags',
  'क्षत्रिय और देवनागरी का परिचय',
  'e\u0301'.repeat(30),
]

describe.each([2, 3, 8, 20, 80])('in %d cells', (width) => {
  it.each(TEXTS)('fold keeps to the width and loses nothing: %s', (text) => {
    const lines = fold(text, width, 1000, '…')
    for (const line of lines) expect(stringWidth(line)).toBeLessThanOrEqual(width)
    expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''))
  })

  it.each(TEXTS)('cut keeps to the width: %s', (text) => {
    expect(stringWidth(cut(text, width, '…'))).toBeLessThanOrEqual(width)
  })
})

it('fold breaks between words and after punctuation, and cuts after the last line', () => {
  expect(fold('Intro to SQL for people', 9, 9, '…')).toEqual(['Intro to', 'SQL for', 'people'])
  expect(fold('learner_id:missing', 12, 9, '…')).toEqual(['learner_id:', 'missing'])
  expect(fold('since 2026-03-03 or so', 12, 9, '…')).toEqual(['since', '2026-03-03', 'or so'])
  expect(fold('load x.csv --mapping m.sql', 15, 9, '…')).toEqual(['load x.csv', '--mapping m.sql'])
  expect(fold('one two three four five six', 9, 2, '…')).toEqual(['one two', 'three fo…'])
})
