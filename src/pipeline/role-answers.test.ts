/** Reports as a role that may not see few: that nothing which one leaves out is told by another, or by a parameter. */

import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { TryWarehouse } from '../../test/try-warehouse.ts'
import { applyScreenPolicy } from '../policy/access.test-support.ts'
import { listSql, paramValues, readSql } from '../sql-files.ts'
import type { Cell, Result, RoleViews } from '../types.ts'
import { runReport } from './report.ts'
import { readAs } from './role.ts'
import { assertMayAsk, withheldFrom, withMarks } from './role-answers.ts'
import { withWarehouse } from './warehouse.ts'

vi.setConfig({ testTimeout: 60_000 })

const signal = () => new AbortController().signal

let warehouse: TryWarehouse
beforeAll(async () => {
  warehouse = await TryWarehouse.create()
  await withWarehouse(warehouse.config, 'write', signal(), (engine) =>
    engine.transaction(async () => {
      await engine.execute(
        `insert into core.dim_course_category (category_key, category_name, level, path) values (1, 'Arts', 1, 'Arts'), (2, 'Science', 1, 'Science')`,
      )
      await engine.execute(`insert into core.dim_course (course_key, course_id, course_title, category_key, instructor_key, valid_from, valid_to, is_current)
        select k, id, id, c, 0, '0001-01-01', '9999-12-31', true
        from (values (1, 'large', 2), (2, 'middle', 1), (3, 'small', 2), (4, 'other', 2)) v (k, id, c)`)
      await engine.execute(`insert into core.dim_date (date_key, full_date, year, quarter, month, month_name, iso_year, iso_week, day_of_month, day_of_week, day_name, is_weekend)
        select 20260100 + n, date '2025-12-31' + n, 2026, 1, 1, 'January', 2026, 1, n, 1, 'x', false from (select cast(n as int) as n from range(1, 32) d (n))`)
      // 60, 12, 3 and 30 learners; of the large course 3 have withdrawn.
      await engine.execute(`insert into core.fact_enrollment (enrollment_id, learner_key, course_key, attempt, enrolled_date_key, enrolled_at, status, source)
        select c || '-' || n, n, c, 1, 20260105, '2026-01-05', case when c = 1 and n <= 3 then 'withdrawn' else 'active' end, 'x'
        from range(1, 61) l (n), range(1, 5) k (c) where n <= [60, 12, 3, 30][c]`)
      await engine.execute(`insert into core.fact_course_completion (learner_key, course_key, completed_date_key, completed_at, source)
        select n, c, 20260110, '2026-01-10', 'x' from range(1, 61) l (n), (values (1, 31, 60), (4, 1, 15)) k (c, a, z) where n between a and z`)
      await engine.execute(`insert into core.fact_learning_event (event_id, learner_key, course_key, date_key, occurred_at, event_type, quantity, source)
        select enrollment_id, learner_key, course_key, 20260106, '2026-01-06', 'viewed', 1, 'x' from core.fact_enrollment`)
    }),
  )
  await applyScreenPolicy(warehouse)
})
afterAll(() => warehouse[Symbol.dispose]())

type Told = Readonly<Record<string, Cell>>

/** Of each report, rows by the names of their columns. */
async function told(
  ...asked: readonly (readonly [string, Readonly<Record<string, string>>?])[]
): Promise<Told[][]> {
  const { config } = warehouse
  return withWarehouse(
    ...([config, 'confined', signal()] as const),
    async (engine) => {
      const answers: Told[][] = []
      for (const [report, params] of asked) {
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

/** `large 60 30`, in the order of the rows. */
const lines = (rows: readonly Told[] = [], ...columns: readonly string[]) =>
  rows.map((row) =>
    [row.course_id ?? row.step ?? 'all', ...columns.map((name) => row[name] ?? 'x')].join(' '),
  )

test('what one report leaves out, no other shows', async () => {
  const [rate, table, ranking, times, tasks] = await told(
    ...([
      ['completion-rate'],
      ['course-table'],
      ['course-ranking'],
      ['time-to-completion'],
      ['time-on-task'],
    ] as const),
  )
  expect(lines(rate, 'enrolled', 'completed')).toEqual([
    'all 105 45',
    'large 60 30',
    'other 30 15',
    'middle x 0',
    'small x 0',
  ])
  expect(lines(table, 'enrolled')).toEqual(['large 60', 'other 30', 'middle x', 'small x'])
  expect(lines(ranking, 'learners')).toEqual(['large 60', 'other 30', 'middle x'])
  expect(lines(times, 'enrolled', 'completed', 'withdrawn', 'still_open')).toEqual([
    ...['all 105 45 x x', 'large 60 30 x x', 'other 30 15 0 15', 'middle x 0 0 x', 'small x 0 0 x'],
  ])
  expect(lines(tasks, 'learners')).toEqual(['large 60', 'other 30', 'middle x', 'small x'])
})

test('what is left out of courses, their categories do not tell', async () => {
  const [rollup = []] = await told(['category-rollup'])
  const shown = rollup.map(({ path, pairs, learners, completed }) => [path, pairs, learners, completed])
  expect(shown).toEqual([
    ['Arts', null, null, 0],
    ['Science', null, null, 45],
  ])
})

test('what is left out of all courses is not shown of one', async () => {
  const course = { course: 'middle' }
  const [rate, times, tasks, funnel, other] = await told(
    ...([
      ['completion-rate', course],
      ['time-to-completion', course],
      ['time-on-task', course],
      ['funnel', course],
      ['funnel', { course: 'other' }],
    ] as const),
  )
  expect(lines(rate, 'enrolled', 'viewed')).toEqual(['all x x', 'middle x x'])
  expect(lines(times, 'enrolled', 'still_open')).toEqual(['all x x', 'middle x x'])
  expect(lines(tasks, 'learners')).toEqual(['middle x'])
  expect(lines(funnel, 'pairs').slice(0, 2)).toEqual(['enrolled x', 'viewed x'])
  expect(lines(other, 'pairs').slice(0, 2)).toEqual(['enrolled 30', 'viewed 30'])
})

test('courses do not come and go with the least number of learners', async () => {
  const [two, three, ten, eleven] = await told(
    ...['2', '3', '10', '13'].map((least) => ['course-ranking', { min_learners: least }] as const),
  )
  expect([two, three]).toEqual([ten, ten])
  expect(eleven?.map(({ course_id }) => course_id)).toEqual(['large', 'other'])
})

const role = (minCell?: number): RoleViews => ({
  ...{
    role: 'lpa_dashboard',
    user: 'nora',
    mayReveal: false,
    tables: [],
    missingAttributes: [],
    statements: [],
  },
  ...(minCell !== undefined && { minCell }),
})
const asks = (who: RoleViews, name: string, given: Readonly<Record<string, string>>) => {
  const report = readSql('reports', name)
  const question = { report, sql: report.body, values: paramValues(report, given) }
  return () => assertMayAsk(who, question, { reveals: false, write: false, exports: false })
}

test('who may not see few is not told of some learners apart from the others', () => {
  for (const given of [{ country: 'FR' }, { category: 'Science' }, { since: '2026-01-01' }])
    expect(asks(role(10), 'completion-rate', given)).toThrow(
      `it takes no --param ${Object.keys(given)[0]} of completion-rate.`,
    )
  for (const name of ['enrollments', 'completions'])
    expect(asks(role(10), name, { course: 'CS101' })).toThrow('it takes no --param course')
  for (const name of ['active-learners', 'daily', 'overview', 'course-table', 'reconciliation'])
    expect(asks(role(10), name, { course: 'CS101' }), name).toThrow('it takes no --param course')
  for (const name of ['category-rollup', 'course-ranking', 'time-on-task', 'drop-off', 'retention'])
    expect(asks(role(10), name, { since: '2026-01-01' }), name).toThrow('it takes no --param since')
  for (const name of ['retention', 'active-learners', 'funnel'])
    expect(asks(role(10), name, { cohort: '2026-W06' }), name).toThrow('it takes no --param cohort')
  expect(asks(role(10), 'completion-rate', {})).not.toThrow()
  expect(asks(role(10), 'completion-rate', { course: 'CS101' })).not.toThrow()
  expect(asks(role(10), 'enrollments', { since: '2026-01-01' })).not.toThrow()
  expect(asks(role(), 'completion-rate', { country: 'FR' })).not.toThrow()
})

test('every report says of which of its parameters that is so', () => {
  for (const name of listSql('reports')) {
    const { params, header } = readSql('reports', name)
    const narrows = header.narrows?.[0]?.split(', ') ?? []
    const names = params.map((param) => param.name)
    expect(names, name).toEqual(expect.arrayContaining(narrows))
    for (const param of ['country', 'category', 'cohort'])
      if (names.includes(param)) expect(narrows, name).toContain(param)
  }
})

const ANSWER: Result = {
  columns: ['course_id', 'completed', 'mean'].map((name) => ({ name, type: 'text' })),
  rows: [
    ['a', null, null],
    ['b', 12, null],
  ],
  hidden: [
    [0, 1],
    [1, 2],
  ],
}

test('people can tell what is left out from what is missing', () => {
  expect(withMarks(ANSWER)).toMatchObject({
    rows: [
      ['a', '*', null],
      ['b', 12, '*'],
    ],
  })
  const { hidden: _, ...whole } = ANSWER
  expect(withMarks(whole)).toBe(whole)
})

test('whatever the format, it is said how many are left out, and as what', () => {
  const role = { role: 'r', user: 'u', minCell: 10, mayReveal: false, tables: [], missingAttributes: [] }
  expect(withheldFrom(role, ANSWER)).toEqual([
    '2 values are left out: they would tell of fewer than 10 learners. In a table they are *, in JSON null, in CSV empty.',
  ])
  expect(withheldFrom(role)).toEqual([])
})
