import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { parseDdl } from '../../ddl.ts'
import { asOf } from './time-travel.ts'

const AT = { time: '2026-01-12T08:00:00.000+00' }
const THEN = ` at (timestamp => '2026-01-12T08:00:00.000+00:00'::timestamp_tz)`

const DECLARED = parseDdl(`
create table core.dim_course (
  course_key bigint not null
);

create view core.course as
select course_key
from core.dim_course
where is_current;

create view core.two as
with a as (select * from core.course)
select * from a;
`)

/** ` @` stands for the time. */
const then = (sql: string) => asOf(sql, AT, DECLARED).replaceAll(THEN, ' @')

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2026-02-01T00:00:00Z') })
})
afterEach(() => {
  vi.useRealTimers()
})

test.each([
  ['select 1', 'select 1'],
  ['select * from t', 'select * from t @'],
  ['select * from core.t where x = 1', 'select * from core.t @ where x = 1'],
  ['select * from db.core.t as x', 'select * from db.core.t @ as x'],
  ['select * from core . t x', 'select * from core.t @ x'],
  ['select * from "T" "x", "C"."Ü t"', 'select * from "T" @ "x", "C"."Ü t" @'],
  ['select a, b from t x, u y, v', 'select a, b from t @ x, u @ y, v @'],
  [
    'select * from a join b on a.x = b.x, c left join d using (x, y)',
    'select * from a @ join b @ on a.x = b.x, c @ left join d @ using (x, y)',
  ],
  ['select * from (a join b on a.x = b.x), c', 'select * from (a @ join b @ on a.x = b.x), c @'],
  ['select * from ((a cross join b), c)', 'select * from ((a @ cross join b @), c @)'],
  ['select * from a natural join b', 'select * from a @ natural join b @'],
  [
    'select * from a asof join b match_condition (a.t >= b.t)',
    'select * from a @ asof join b @ match_condition (a.t >= b.t)',
  ],
  ['select (select max(x) from t), y from u', 'select (select max(x) from t @), y from u @'],
  ['select * from (select x, y from t) z, u', 'select * from (select x, y from t @) z, u @'],
  [
    'select 1 from t where exists (select 1 from u, v)',
    'select 1 from t @ where exists (select 1 from u @, v @)',
  ],
  ['select a, b from t union all select c, d from u', 'select a, b from t @ union all select c, d from u @'],
  ['select a from t group by a, b order by a, b', 'select a from t @ group by a, b order by a, b'],
  ['select extract(year from x), y from t', 'select extract(year from x), y from t @'],
  ['select a is distinct from b, c from t', 'select a is distinct from b, c from t @'],
  ['select a is not distinct from b from t', 'select a is not distinct from b from t @'],
  ['select trim(both from x) from t', 'select trim(both from x) from t @'],
  [
    'select * from t, lateral flatten(input => t.a) f, u',
    'select * from t @, lateral flatten(input => t.a) f, u @',
  ],
  [
    `select * from table(flatten(input => a, path => 'b')) f, t`,
    `select * from table(flatten(input => a, path => 'b')) f, t @`,
  ],
  ['select * from f(1), t', 'select * from f(1), t @'],
  ['select * from (values (1, 2)) v (a, b)', 'select * from (values (1, 2)) v (a, b)'],
  ['select $1 from @meta.staged_files s, t', 'select $1 from @meta.staged_files s, t @'],
  ['with a as (select * from t) select * from a, t', 'with a as (select * from t @) select * from a, t @'],
  [
    'with recursive a (x, y) as (select 1, 2 from t), b as (select * from a) select * from b join core.a',
    'with recursive a (x, y) as (select 1, 2 from t @), b as (select * from a) select * from b join core.a @',
  ],
  ['with A as (select 1) select * from a', 'with A as (select 1) select * from a'],
  ['select * from t at (offset => -60) x, u', 'select * from t at (offset => -60) x, u @'],
  ['select * from t before(statement => $q), u', 'select * from t before(statement => $q), u @'],
  ['select table_name from information_schema.tables', 'select table_name from information_schema.tables'],
  [
    'select * from snowflake.account_usage.query_history q',
    'select * from snowflake.account_usage.query_history q',
  ],
  ["select * from t -- from u\n where x = 'from v'", "select * from t @ -- from u\n where x = 'from v'"],
  ['select * from t // from u', 'select * from t @ // from u'],
  [`select $$ from u $$ from t`, `select $$ from u $$ from t @`],
  ['select * from t sample (10), u', 'select * from t @ sample (10), u @'],
  ['select x from t pivot (sum(a) for b in (1, 2)) p', 'select x from t @ pivot (sum(a) for b in (1, 2)) p'],
  ['explain select * from t', 'explain select * from t @'],
])('%s', (sql, expected) => {
  expect(then(sql)).toBe(expected)
})

test('a view is its SELECT, under its name or its alias', () => {
  const inner = '(select course_key\nfrom core.dim_course @\nwhere is_current)'
  expect(then('select course.course_key from core.course')).toBe(
    `select course.course_key from ${inner} course`,
  )
  expect(then('select * from COURSE as c where true')).toBe(`select * from ${inner} as c where true`)
  expect(then('select * from course "c", course where true')).toBe(
    `select * from ${inner} "c", ${inner} course where true`,
  )
  expect(then('select * from two')).toBe(
    `select * from (with a as (select * from ${inner} course)\nselect * from a) two`,
  )
})

test('a CTE hides a view', () => {
  expect(then('with course as (select 1) select * from course')).toBe(
    'with course as (select 1) select * from course',
  )
})

test('now and later is as it is, as is what has no time', () => {
  const sql = 'select * from t'
  expect(asOf(sql, undefined, DECLARED)).toBe(sql)
  expect(asOf(sql, { time: '2026-02-01T23:59:59.999+00' }, DECLARED)).toBe(sql)
})
