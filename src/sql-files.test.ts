import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { UserError } from './errors.ts'
import {
  listSql,
  packageRoot,
  paramValues,
  parseSql,
  readSql,
  withIncremental,
  withoutIncremental,
} from './sql-files.ts'

const parse = (text: string) => parseSql(text, { kind: 'reports', name: 'sample', path: 'sample.sql' })

function caught(work: () => unknown): UserError {
  try {
    work()
  } catch (error) {
    return error as UserError
  }
  throw new Error('nothing was thrown')
}

describe('parseSql', () => {
  const file = parse(`-- title: Daily enrollments
-- grain: a day
-- definition: Enrollments by the day they began,
--   with: the mean of seven days,
-- and the change from the week before.
-- chart: line x=day y=enrollments,mean_7d
-- param: days integer 7 "no event for this many days"
-- param: until date null "last day; the newest of the data"
--
-- Part of no header.
-- note: one
-- note: two

-- A comment of the statement, no header: value
select 1 -- one
;
`)

  test('reads every header', () => {
    expect(file).toMatchObject({
      name: 'sample',
      title: 'Daily enrollments',
      grain: 'a day',
      definition:
        'Enrollments by the day they began, with: the mean of seven days, and the change from the week before.',
      chart: { kind: 'line', x: 'day', y: ['enrollments', 'mean_7d'] },
      params: [
        { name: 'days', type: 'integer', default: 7, text: 'no event for this many days' },
        { name: 'until', type: 'date', default: null, text: 'last day; the newest of the data' },
      ],
    })
    expect(file.header.note).toEqual(['one', 'two'])
    expect(file.header.definition?.[0]?.split('\n')).toHaveLength(3)
  })

  test('leaves the statement, its comments and no semicolon', () => {
    expect(file.body).toBe('-- A comment of the statement, no header: value\nselect 1 -- one')
  })

  test('a file without header is all statement; one without statement has none', () => {
    expect(parse('select 1')).toMatchObject({ title: '', params: [], header: {}, body: 'select 1' })
    expect(parse('-- title: x')).toMatchObject({ title: 'x', body: '' })
  })

  test.each([
    ['table', { kind: 'table' }],
    ['table window(touched_date)', { kind: 'table', window: 'touched_date' }],
    ['temporary', { kind: 'temporary' }],
    ['incremental key(date_key, event_id)', { kind: 'incremental', key: ['date_key', 'event_id'] }],
    ['incremental key(a) window(touched_pair)', { kind: 'incremental', key: ['a'], window: 'touched_pair' }],
  ])('reads materialise: %s', (text, expected) => {
    expect(parse(`-- materialise: ${text}\nselect 1`).materialise).toEqual(expected)
  })

  test('parts of a union that a batch does not bring are left out of it', () => {
    const file = parse('select a  -- brought by a\nfrom t\nunion\nselect b  -- brought by b\nunion\nselect 0')
    // No comment may end it: what it stands in goes on behind it.
    expect(withIncremental(file)).toBe('select a  \nfrom t\nunion\nselect b  \nunion\nselect 0')
    expect(withoutIncremental(file)).toBe('select a  \nfrom t\nunion\nselect b  \nunion\nselect 0')
    expect(withIncremental(file, new Set(['b']))).toBe('select b  \nunion\nselect 0')
    const only = parse('select a  -- brought by a\nunion\nselect b  -- brought by b')
    expect(withIncremental(only, new Set())).toBe('select a  ')
  })

  test('lines of an incremental batch are left out where every row is made anew', () => {
    const file = parse('select a\nfrom t\njoin w on w.a = t.a  -- incremental\nwhere a > 0')
    expect(withoutIncremental(file)).toBe('select a\nfrom t\nwhere a > 0')
    for (const name of listSql('models')) {
      if (name.startsWith('touched_')) continue
      expect(withoutIncremental(readSql('models', name)), name).not.toContain('touched_')
    }
  })

  test.each([
    '-- param: days integer seven "x"',
    '-- param: days number 7 "x"',
    '-- param: days integer 7 x',
    '-- param: day date 2026-02-30 "x"',
    '-- chart: line day',
    '-- materialise: view',
    '-- materialise: incremental date_key',
  ])('refuses %s with file and line', (line) => {
    const error = caught(() => parse(`-- title: x\n${line}\nselect 1`))
    expect([error.code, error.where, error.exit]).toEqual(['LPA-SQL-HEADER', 'sample.sql:2', 'config'])
  })
})

describe('readSql', () => {
  test('the root holds package.json and sql', () => {
    expect(existsSync(join(packageRoot(), 'package.json'))).toBe(true)
    expect(existsSync(join(packageRoot(), 'sql', 'reports'))).toBe(true)
  })

  test('reads every report, with the same statement as the file', () => {
    const names = listSql('reports')
    expect(names).toContain('enrollments')
    for (const name of names) {
      const file = readSql('reports', name)
      expect(readFileSync(file.path, 'utf8')).toContain(file.body)
    }
  })

  test('names the nearest report and all there are', () => {
    const error = caught(() => readSql('reports', 'enrolments'))
    expect([error.code, error.exit]).toEqual(['LPA-SQL-UNKNOWN', 'usage'])
    expect(error.next[0]).toBe('Did you mean enrollments?')
    expect(error.next[1]).toContain('enrollments')
  })

  test.each(['../models/dim_date', '', 'enrollments.sql', '/etc/passwd'])('there is no report %j', (name) => {
    const error = caught(() => readSql('reports', name))
    expect([error.code, error.exit]).toEqual(['LPA-SQL-UNKNOWN', 'usage'])
    expect(error.next.join(' ')).toContain('enrollments')
  })
})

describe('paramValues', () => {
  const file = parse(`-- param: days integer 7 "a"
-- param: share double 0.5 "b"
-- param: until date null "c"
-- param: course text CS101 "d"
-- param: all boolean false "e"
select 1`)

  test('defaults, then what is given', () => {
    expect(paramValues(file, {})).toEqual({ days: 7, share: 0.5, until: null, course: 'CS101', all: false })
    expect(
      paramValues(file, { days: '14', share: '1e-1', until: '2026-02-28', course: "x' or 1", all: 'true' }),
    ).toEqual({ days: 14, share: 0.1, until: '2026-02-28', course: "x' or 1", all: true })
  })

  test.each([
    ['days', '7.5'],
    ['days', ''],
    ['days', '99999999999'],
    ['share', 'Infinity'],
    ['share', ' '],
    ['until', '2026-02-30'],
    ['until', 'yesterday'],
    ['all', 'yes'],
    ['day', '7'],
    ['__proto__', '7'],
  ])('refuses %s=%s', (name, value) => {
    const error = caught(() => paramValues(file, Object.fromEntries([[name, value]])))
    expect([error.code, error.exit]).toEqual(['LPA-QUERY-PARAM', 'usage'])
  })
})
