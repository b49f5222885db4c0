import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { packageRoot } from '../sql-files.ts'
import { readChanges, sha256, statementsOf } from './schema-changes.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-changes-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const write = (name: string, text = 'drop table core.old;\n') => writeFileSync(join(folder, name), text)

test('changes come in the order of their numbers, overridden for a dialect', () => {
  write('0002_second.sql')
  write('0001_first.sql', 'update core.a set b = 1;\n')
  write('0001_first.spark.sql', 'insert overwrite core.a select 1;\n')
  write('README.md', 'no change')
  const names = (dialect: 'duckdb' | 'spark') =>
    readChanges(folder, dialect).map(({ number, name, statements }) => [number, name, statements[0]])
  expect(names('duckdb')).toEqual([
    [1, 'first', 'update core.a set b = 1'],
    [2, 'second', 'drop table core.old'],
  ])
  expect(names('spark')[0]).toEqual([1, 'first', 'insert overwrite core.a select 1'])
})

test('line ends do not change a checksum', () => {
  write('0001_first.sql', 'drop table a;\r\ndrop table b;\r\n')
  const [change] = readChanges(folder, 'duckdb')
  expect(change?.sha256).toBe(sha256('drop table a;\ndrop table b;\n'))
  expect(change?.statements).toEqual(['drop table a', 'drop table b'])
})

test.each(['1_first.sql', '0000_base.sql', '0001-first.sql', '0001_First.sql', '0001_first.oracle.sql'])(
  '%s is refused',
  (name) => {
    write(name)
    expect(() => readChanges(folder, 'duckdb')).toThrow(/not named NNNN_name\.sql/)
  },
)

test('a number belongs to one change', () => {
  write('0001_first.sql')
  write('0001_other.sql')
  expect(() => readChanges(folder, 'duckdb')).toThrow(/has the number of first/)
})

test('no folder, no changes; the packaged ones can be read', () => {
  expect(readChanges(join(folder, 'none'), 'duckdb')).toEqual([])
  expect(readChanges(join(packageRoot(), 'schema', 'changes'), 'duckdb')).toEqual([])
})

test('statements end at a semicolon at the end of a line, comments fall away', () => {
  expect(
    statementsOf(`-- why
update core.a
set b = 'x; y' -- stays, as the engine reads it
where c = 1;
  -- a second one
drop table core.a;`),
  ).toEqual([
    "update core.a\nset b = 'x; y' -- stays, as the engine reads it\nwhere c = 1",
    'drop table core.a',
  ])
})
