import stringWidth from 'string-width'
import { expect, it } from 'vitest'
import { NARROW } from './text-width.ts'

it('narrow text is what string-width measures as one cell a character', () => {
  const narrow = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code)).filter((text) =>
    NARROW.test(text),
  )
  expect(narrow.length).toBeGreaterThan(900)
  expect(narrow.filter((text) => stringWidth(text) !== 1)).toEqual([])
})

it('holds all that a dashboard is made of', () => {
  expect('Enrollments/day ▲4.2% ▼ › ‹ ● ⏎ ╭─╮│┤└ █▍▏ ⡠⢄ … – − ·').toMatch(NARROW)
})
