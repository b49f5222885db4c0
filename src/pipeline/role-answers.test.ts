import { expect, test } from 'vitest'
import { listSql, paramValues, readSql } from '../sql-files.ts'
import type { RoleViews } from '../types.ts'
import { assertMayAsk } from './role-answers.ts'

const role = (minCell?: number): RoleViews => ({
  ...{
    role: 'lpa_dashboard',
    user: 'nora',
    mayReveal: false,
    tables: [],
    missingAttributes: [],
    statements: [],
  },
  ...(minCell !== undefined && { minCell }),
})
const asks = (who: RoleViews, name: string, given: Readonly<Record<string, string>>) => {
  const report = readSql('reports', name)
  const question = { report, sql: report.body, values: paramValues(report, given) }
  return () => assertMayAsk(who, question, { reveals: false, write: false, exports: false })
}

test('who may not see few is not told of some learners apart from the others', () => {
  for (const given of [{ country: 'FR' }, { category: 'Science' }, { since: '2026-01-01' }])
    expect(asks(role(10), 'completion-rate', given)).toThrow(
      `it takes no --param ${Object.keys(given)[0]} of completion-rate.`,
    )
  expect(asks(role(10), 'completion-rate', {})).not.toThrow()
  expect(asks(role(10), 'completion-rate', { course: 'CS101' })).not.toThrow()
  expect(asks(role(10), 'enrollments', { since: '2026-01-01' })).not.toThrow()
  expect(asks(role(), 'completion-rate', { country: 'FR' })).not.toThrow()
})

test('every report says of which of its parameters that is so', () => {
  for (const name of listSql('reports')) {
    const { params, header } = readSql('reports', name)
    const narrows = header.narrows?.[0]?.split(', ') ?? []
    const names = params.map((param) => param.name)
    expect(names, name).toEqual(expect.arrayContaining(narrows))
    for (const param of ['country', 'category'])
      if (names.includes(param)) expect(narrows, name).toContain(param)
  }
})
