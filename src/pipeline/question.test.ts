import { expect, test } from 'vitest'
import { collect } from '../output/cells.ts'
import { expand } from '../sql-expand.ts'
import { listSql, readSql } from '../sql-files.ts'
import type { Result } from '../types.ts'
import { readDeclared } from './declared.ts'
import { explainReport, tableOf } from './question.ts'

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

const explained = (name: string) => {
  const report = readSql('reports', name)
  return explainReport({ report, sql: expand(report.body, 'duckdb'), values: { course: null } }, 100)
}

test('a report is explained by its definition, its SQL and the tables that it reads', () => {
  const { tables, text, sql } = explained('reconciliation-differences')
  expect(tables).toEqual([
    ...['course', 'dim_course_category', 'dim_date', 'learner'],
    ...['staging.live_enrollment', 'staging.stg_learning_event'],
  ])
  expect(text.replaceAll('\n  ', ' ')).toContain(`Tables: ${tables.join(', ')}\n`)
  expect(text.endsWith(`\n\n${sql}\n`)).toBe(true)
})

test.each(listSql('reports'))('%s reads tables and views that are declared', (name) => {
  const declared = readDeclared('duckdb').tables.map((table) => table.name.replace(/^core\./, ''))
  const { tables } = explained(name)
  expect(tables).not.toEqual([])
  expect(tables.filter((table) => !declared.includes(table))).toEqual([])
})
