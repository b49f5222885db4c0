import { expect, test } from 'vitest'
import { shownNames } from './shown-names.ts'

test.each([
  'Gebühr (€)',
  'Gebühr €',
  'Kurs?',
  'Prüfung & Note',
  'Dauer [min]',
  '2024',
  '# Versuche',
  '$.a.b',
  '%',
])('a header with %s is shown', (name) => {
  const header = ['Kurs', 'Titel', 'Von', name]
  expect(shownNames(header)).toBe(header.join(', '))
})

test.each([
  'clear@example.org',
  '+49 170 1234567',
  '0170/1234567',
  '192.168.0.1',
  '1000001',
  '2026-03-04',
  '31.12.2026',
  '3f2504e0-4f89-11d3-9a0c-0305e82c3301',
  'x'.repeat(61),
  'a\u0007b',
])('a line with %s is none', (value) => {
  expect(shownNames(['Anna', 'Schmidt', 'Physik', 'Berlin', value])).toMatch(/^not shown/)
})

test('a line with many short numbers is none', () => {
  expect(shownNames(['Anna', 'Schmidt', '3'])).toMatch(/^not shown/)
})
