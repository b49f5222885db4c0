import { expect, test } from 'vitest'
import { type Diagnosis, diagnosisText } from './diagnosis.ts'

test('what doctor tells fits the terminal, but for paths, which have a line of their own', () => {
  const path = `/${'folder/'.repeat(9)}file`
  const diagnosis: Diagnosis = {
    facts: [
      { area: 'program', name: 'extension', value: `${path}, SHA-256 e51bf9e8d933… as pinned` },
      { area: 'tables', name: 'core.fact_enrollment', value: 'sorted by a, b, c, by month of enrolled_at' },
    ],
    findings: [{ code: 'LPA-X', message: 'one two '.repeat(12).trim(), next: [] }],
    planned: ['240 small files: merged'],
    fixed: [],
  }
  const lines = diagnosisText(diagnosis, 60).split('\n')
  expect(lines.filter((line) => line.length > 60)).toEqual([`    ${path},`])
  expect(lines).toContain('  extension')
  expect(lines).toEqual(expect.arrayContaining(['by --fix', '  240 small files: merged']))
  expect(lines).toContain('  core.fact_enrollment  sorted by a, b, c, by month of')
  expect(lines).toContain('                          enrolled_at')
})
