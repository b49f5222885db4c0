import { expect, test } from 'vitest'
import { collect } from '../output/cells.ts'
import { readSql } from '../sql-files.ts'
import type { Result } from '../types.ts'
import { tableOf } from './question.ts'

const ANSWER: Result = {
  columns: ['days_silent', 'class', 'course_id', 'reason', 'learner_id'].map((name) => ({
    name,
    type: 'text',
  })),
  rows: [['9', 'silent', 'BIO101', 'no event', 'a1']],
}

test('a table of people has the columns that the report names for it, in their order', async () => {
  const question = { report: readSql('reports', 'at-risk'), sql: '', values: {} }
  const { columns, rows } = await collect(tableOf(question, ANSWER))
  expect(columns.map(({ name }) => name)).toEqual(['course_id', 'learner_id', 'days_silent', 'reason'])
  expect(rows).toEqual([['BIO101', 'a1', '9', 'no event']])
})

test('the answer to other questions has all', () => {
  expect(tableOf({ sql: 'select 1', values: {} }, ANSWER)).toBe(ANSWER)
  expect(tableOf({ report: readSql('reports', 'funnel'), sql: '', values: {} }, ANSWER)).toBe(ANSWER)
})
