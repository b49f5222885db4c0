import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { packageRoot } from '../../sql-files.ts'
import { checkStatement } from './statement-check.ts'

const TABLES = ['core.fact_enrollment', 'core.course', 'staging.stg_course']
const checked = (sql: string) => checkStatement(sql, { tables: TABLES, role: { role: 'reader' } })
const named = (sql: string) => [...checked(sql).tables].sort()

describe('reads', () => {
  test.each<[string, string[]]>([
    ['select 1', []],
    ['select count(*) from fact_enrollment', ['core.fact_enrollment']],
    [
      'SELECT e.status, count(*) AS n FROM Fact_Enrollment e GROUP BY e.status ORDER BY n DESC LIMIT 5',
      ['core.fact_enrollment'],
    ],
    [
      'select c.course_id from core.course as c join fact_enrollment e on e.course_key = c.course_key',
      ['core.course', 'core.fact_enrollment'],
    ],
    [
      "select * from course left join fact_enrollment using (course_key) where course_id in ('a', 'b')",
      ['core.course', 'core.fact_enrollment'],
    ],
    ['select * from course, fact_enrollment', ['core.course', 'core.fact_enrollment']],
    [
      'with a as (select * from course), b(x) as (select course_id from a) select x from b union all select 1',
      ['core.course'],
    ],
    [
      'select * from (select course_id from course) t where exists (select 1 from fact_enrollment e where e.course_key = t.course_key)',
      ['core.course', 'core.fact_enrollment'],
    ],
    [
      "select extract(year from starts_on), trim(both 'x' from course_id), left(course_id, 2) from course",
      ['core.course'],
    ],
    [
      "select row_number() over (partition by status order by course_key), count(*) filter (where status = 'x') from fact_enrollment",
      ['core.fact_enrollment'],
    ],
    [
      'select percentile_cont(0.5) within group (order by price_amount) from fact_enrollment',
      ['core.fact_enrollment'],
    ],
    ['(select 1) union (select 2 from course)', ['core.course']],
    [
      'select (select max(course_key) from course) + 1, case when (1 + 2) > 3 then 1 end from ((fact_enrollment))',
      ['core.course', 'core.fact_enrollment'],
    ],
    ['select transformed from fact_enrollment /* from secret */ -- from secret', ['core.fact_enrollment']],
  ])('%s', (sql, tables) => {
    expect(named(sql)).toEqual(tables)
  })

  test('what it makes of names is what the session has', () => {
    expect(checked('select stg_course.x from staging . stg_course where 1 = 1').sql).toBe(
      'select stg_course.x from staging_stg_course as stg_course where 1 = 1',
    )
    expect(checked('select a.x from "core".Course as a -- why\n join staging.stg_course b on true').sql).toBe(
      'select a.x from course as a  \n join staging_stg_course b on true',
    )
  })
})

describe('refuses', () => {
  const attempts = readFileSync(join(packageRoot(), 'fixtures', 'access', 'break-outs-spark.sql'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('-- '))
  test.each(attempts)('%s', (sql) => {
    expect(() => checked(sql)).toThrow(expect.objectContaining({ code: 'LPA-QUERY-REFUSED' }))
  })

  test('text that is no SQL', () => {
    expect(() => checked("select 'x")).toThrow(expect.objectContaining({ code: 'LPA-QUERY-SQL' }))
  })

  test('a table that is not the role’s by name, with the nearest', () => {
    expect(() => checked('select * from corse')).toThrow(
      expect.objectContaining({
        message: 'There is no table corse, or the role reader may not read it.',
        next: expect.arrayContaining(['Did you mean course?']),
      }),
    )
  })
})
