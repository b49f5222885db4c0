/** Reports by day as a role that may not see few: what is left out of a day, no window over days tells. */

import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { TryWarehouse } from '../../test/try-warehouse.ts'
import { applyScreenPolicy } from '../policy/access.test-support.ts'
import type { Cell } from '../types.ts'
import { runReport } from './report.ts'
import { readAs } from './role.ts'
import { withWarehouse } from './warehouse.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const signal = () => new AbortController().signal

/** The newest is the last; of 60 days two have few learners, of whom one is in the newest 28. */
const DAYS = 60
const FEW = new Map([
  [57, 4],
  [9, 8],
])

let warehouse: TryWarehouse
beforeAll(async () => {
  warehouse = await TryWarehouse.create()
  await withWarehouse(warehouse.config, 'write', signal(), (engine) =>
    engine.transaction(async () => {
      await engine.execute(`insert into core.dim_course (course_key, course_id, course_title, category_key, instructor_key, valid_from, valid_to, is_current)
        select k, 'c' || k, 'c' || k, 0, 0, '0001-01-01', '9999-12-31', true from range(1, 3) v (k)`)
      await engine.execute(`insert into core.dim_date (date_key, full_date, year, quarter, month, month_name, iso_year, iso_week, day_of_month, day_of_week, day_name, is_weekend)
        select cast(strftime(date '2025-12-31' + n, '%Y%m%d') as int), date '2025-12-31' + n, 2026, 1, 1, 'January', 2026, 1, 1, n % 7 + 1, 'x', false
        from (select cast(n as int) as n from range(1, ${DAYS + 1}) d (n))`)
      // Half of them at each of two courses; all have completed on the day of their enrollment.
      const few = [...FEW].map(([day, learners]) => `when ${day} then ${learners}`).join(' ')
      await engine.execute(`insert into core.fact_enrollment (enrollment_id, learner_key, course_key, attempt, enrolled_date_key, enrolled_at, status, source)
        select d.n || '-' || l.n, 100 * d.n + l.n, l.n % 2 + 1, 1, cast(strftime(date '2025-12-31' + cast(d.n as int), '%Y%m%d') as int), '2026-01-01', 'active', 'x'
        from range(1, ${DAYS + 1}) d (n), range(0, 30) l (n) where l.n < case d.n ${few} else 30 end`)
      await engine.execute(`insert into core.fact_course_completion (learner_key, course_key, completed_date_key, completed_at, source)
        select learner_key, course_key, enrolled_date_key, enrolled_at, 'x' from core.fact_enrollment`)
    }),
  )
  await applyScreenPolicy(warehouse)
})
afterAll(() => warehouse[Symbol.dispose]())

type Told = Readonly<Record<string, Cell>>

/** What a report answers the role for each of the parameters, rows by the names of their columns. */
function told(report: string, ...asked: readonly Readonly<Record<string, string>>[]): Promise<Told[][]> {
  const { config } = warehouse
  return withWarehouse(
    ...([config, 'confined', signal()] as const),
    async (engine) => {
      const answers: Told[][] = []
      for (const params of asked) {
        const { columns, rows } = await runReport(engine, config, report, params)
        answers.push(
          rows.map((row) => Object.fromEntries(columns.map(({ name }, i) => [name, row[i] ?? null]))),
        )
      }
      return answers
    },
    readAs(config, 'screen'),
  )
}

const dayOf = (day: number) => new Date(Date.UTC(2025, 11, 31 + day)).toISOString().slice(0, 10)
const leftOut = (rows: readonly Told[] = [], column: string) =>
  rows.filter((row) => row[column] === null).map(({ day }) => day)
const windows = (...lengths: readonly number[]) => lengths.map((days) => ({ days: `${days}` }))

test('the newest days together do not tell of the one that is left out of them', async () => {
  const [days = []] = await told('daily', {})
  expect(leftOut(days, 'enrollments')).toEqual([dayOf(9), dayOf(57)])
  const [glance = [], all = []] = await told('overview', ...windows(20, 60))
  const rates = { kpi: 'completion_rate', value: null, previous: null }
  expect(glance.slice(0, 3)).toMatchObject([
    { kpi: 'enrollments', value: null, previous: 600, change_percent: null },
    { kpi: 'completions', value: null, previous: 600, change_percent: null },
    rates,
  ])
  expect(all.slice(0, 2).map((row) => row.value)).toEqual([58 * 30 + 12, 58 * 30 + 12])
})

test('new enrollments of the courses do not add up to what is left out', async () => {
  const [some = [], few = [], all = []] = await told('course-table', ...windows(28, 3, 60))
  const news = (rows: readonly Told[]) => rows.map((row) => row.new_enrollments)
  expect([some, few, all].map(news)).toEqual([
    [null, null],
    [45, 45],
    [876, 876],
  ])
  expect(some.map((row) => row.change_percent)).toEqual([null, null])
})

test.each(['daily', 'enrollments', 'completions'])(
  '%s leaves the same out of a day, whichever others are asked for',
  async (report) => {
    const [whole = [], some = []] = await told(report, {}, { since: dayOf(20), until: dayOf(58) })
    expect(some).toEqual(whole.filter(({ day }) => String(day) >= dayOf(20) && String(day) <= dayOf(58)))
    const [days = []] = await told('daily', {})
    for (const column of ['enrollments', 'completions'])
      if (column in (whole[0] ?? {})) expect(leftOut(whole, column)).toEqual(leftOut(days, column))
  },
)
