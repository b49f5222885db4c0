import type { Column as DriverColumn } from 'snowflake-sdk'
import { expect, test } from 'vitest'
import type { Cell } from '../../types.ts'
import { bindOf, cellConverter, columnOf, positional } from './values.ts'

function driverColumn(type: string, scale = 0, name = 'X'): DriverColumn {
  return { getName: () => name, getType: () => type, getScale: () => scale } as DriverColumn
}

/** What a column's value becomes, with the type of its column. */
function cell(type: string, value: unknown, scale?: number): [type: string, cell: Cell] {
  const column = columnOf(driverColumn(type, scale))
  return [column.type, cellConverter(column)(value)]
}

test.each<[type: string, value: unknown, scale: number, expected: [string, Cell]]>([
  ['fixed', '12', 0, ['integer', 12]],
  ['fixed', '-9007199254740991', 0, ['integer', -9007199254740991]],
  ['fixed', '9007199254740993', 0, ['integer', 9007199254740993n]],
  [
    'fixed',
    '99999999999999999999999999999999999999',
    0,
    ['integer', 99999999999999999999999999999999999999n],
  ],
  ['fixed', '49.90', 2, ['decimal', '49.90']],
  ['fixed', '-0.123456789012', 12, ['decimal', '-0.123456789012']],
  ['real', '0.1', 0, ['double', 0.1]],
  ['real', '1.7976931348623157e308', 0, ['double', Number.MAX_VALUE]],
  ['real', 'inf', 0, ['double', Number.POSITIVE_INFINITY]],
  ['real', '-inf', 0, ['double', Number.NEGATIVE_INFINITY]],
  ['real', 'Infinity', 0, ['double', Number.POSITIVE_INFINITY]],
  ['real', 'NaN', 0, ['double', Number.NaN]],
  ['boolean', true, 0, ['boolean', true]],
  ['boolean', 'false', 0, ['boolean', false]],
  ['date', '2026-01-12', 0, ['date', '2026-01-12']],
  ['timestamp_ntz', '2026-01-12 08:13:22.000000000', 9, ['timestamp', '2026-01-12T08:13:22Z']],
  ['timestamp_ntz', '2026-01-12 08:13:22.120000000', 9, ['timestamp', '2026-01-12T08:13:22.12Z']],
  ['timestamp_ntz', '9999-12-31 23:59:59.123456789', 9, ['timestamp', '9999-12-31T23:59:59.123456789Z']],
  ['timestamp_ltz', '2026-01-12 08:13:22.5 +0000', 9, ['timestamp', '2026-01-12T08:13:22.5Z']],
  ['timestamp_tz', '2026-01-12 00:13:22.000000001 +0100', 9, ['timestamp', '2026-01-11T23:13:22.000000001Z']],
  ['timestamp_tz', '2026-12-31 23:00:00 -05:30', 9, ['timestamp', '2027-01-01T04:30:00Z']],
  ['timestamp_tz', '2026-01-12 08:13:22.000 Z', 9, ['timestamp', '2026-01-12T08:13:22Z']],
  [
    'variant',
    '{\n  "a b": "x : y",\n  "n": 9007199254740993\n}',
    0,
    ['json', '{"a b":"x : y","n":9007199254740993}'],
  ],
  ['variant', '"it \\" is"', 0, ['json', '"it \\" is"']],
  ['variant', 'null', 0, ['json', 'null']],
  ['array', '[\n  1,\n  "a  b"\n]', 0, ['json', '[1,"a  b"]']],
  ['object', { a: 1 }, 0, ['json', '{"a":1}']],
  ['text', ' ünï 😀 ', 0, ['text', ' ünï 😀 ']],
  ['time', '08:13:22', 0, ['text', '08:13:22']],
  ['binary', Buffer.from([0, 255]), 0, ['text', '00FF']],
])('%s %j of scale %i', (type, value, scale, expected) => {
  expect(cell(type, value, scale)).toEqual(expected)
})

test.each(['fixed', 'real', 'boolean', 'date', 'timestamp_ntz', 'variant', 'text', 'binary'])(
  'null of %s is null',
  (type) => {
    expect(cell(type, null)[1]).toBeNull()
    expect(cell(type, undefined)[1]).toBeNull()
  },
)

test('names that were not quoted are in small letters, those that were as written', () => {
  const named = (name: string) => columnOf(driverColumn('text', 0, name)).name
  expect([named('COURSE_ID'), named('Course'), named('ÜBER 1')]).toEqual(['course_id', 'Course', 'über 1'])
})

test('named values are bound by place, where they stand and as often', () => {
  const sql = `select '$days', $days, x$days, $1, "$days" from t -- $days\nwhere d > $days and c = $course and $missing`
  expect(positional(sql, { days: 7, course: null, unused: 1 })).toEqual({
    text: `select '$days', ?, x$days, $1, "$days" from t -- $days\nwhere d > ? and c = ? and $missing`,
    binds: [7, 7, null],
  })
  expect(positional(`select '\\'$a', $$ $a $$, system$typeof($a)`, { a: 1 }).text).toBe(
    `select '\\'$a', $$ $a $$, system$typeof(?)`,
  )
  expect(positional('select 1')).toEqual({ text: 'select 1', binds: [] })
  expect(positional("select $a, 'b", { a: 1 })).toEqual({ text: "select $a, 'b", binds: [] })
})

test('an integer beyond what a number holds is bound as its digits', () => {
  expect([bindOf(9007199254740993n), bindOf(1.5), bindOf('a'), bindOf(true), bindOf(null)]).toEqual([
    '9007199254740993',
    1.5,
    'a',
    true,
    null,
  ])
})
