/** The table of what is expected (fixtures/access) leaves nothing out that the policy speaks of. */

import { expect, test } from 'vitest'
import { readDeclared } from '../pipeline/declared.ts'
import { accessRows, expectations, readyMadePolicy, SHOWS } from './access.test-support.ts'
import { masksByColumn } from './columns.ts'

const expected = new Set(expectations().map(({ table, column }) => `${table}.${column}`))

test('every relation and every role is in it', async () => {
  const relations = new Set(expectations().map(({ table }) => table))
  expect([...relations].sort()).toEqual(
    readDeclared('duckdb')
      .tables.map(({ name }) => name)
      .sort(),
  )
  const roles = new Set(expectations().map(({ role }) => role))
  const { roles: own } = await readyMadePolicy()
  expect([...roles].sort()).toEqual(own.map(({ name }) => name).sort())
})

test('every column that is masked for somebody is in it, in the views over its table too', async () => {
  const masked = [...masksByColumn(await readyMadePolicy()).keys()]
  const shown = masked.flatMap((name) => {
    const [, table = '', column = ''] = /^(.*)\.(\w+)$/.exec(name) ?? []
    const views = Object.entries(SHOWS).filter(([, base]) => base === table)
    // How far somebody is follows from events, not from their attributes.
    return [table, ...views.map(([view]) => view)]
      .filter((one) => one !== 'core.course_progress')
      .map((one) => `${one}.${column}`)
  })
  expect(shown.length).toBeGreaterThan(45)
  expect(shown.filter((name) => !expected.has(name))).toEqual([])
})

test('every value that a mask may be in the place of differs from it', () => {
  for (const { table, row, values } of accessRows())
    for (const [column, { value, masked }] of values)
      if (masked !== '') expect(masked, `${table} ${row} ${column}`).not.toBe(value)
})
