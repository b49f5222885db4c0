import { expect, test } from 'vitest'
import { sqlLines } from './check-sql-in-typescript.ts'

test('finds statements at the beginning of a text', () => {
  const text =
    'const a = \'select 1 as x from core.fact_events\'\n\nconst b = `\n  with rows as (select 2)`\nrun("INSERT INTO t values (1)")'
  expect(sqlLines(text)).toEqual([1, 4, 5])
})

test('prose and comments are no SQL', () => {
  const text =
    "// 'select a from b'\n/* 'insert into t' */\nconst a = 'Rows selected from the table'\nconst b = 'Delete from the folder what is old'"
  expect(sqlLines(text)).toEqual([])
})
