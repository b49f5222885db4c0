import { expect, test } from 'vitest'
import { mentions, rowsSelect, viewName, withViewNames } from './names.ts'

test('a table’s view', () => {
  expect(['core.dim_course', 'staging.stg_course', 'meta.loads'].map(viewName)).toEqual([
    'dim_course',
    'staging_stg_course',
    'meta_loads',
  ])
})

test('names of the warehouse become names of the session, and nothing else', () => {
  expect(
    withViewNames(
      "select core.x, s.staging.y, 'staging.z' /* staging.z */ from staging.stg_course s join core.dim_course c join meta . loads",
    ),
  ).toBe(
    "select x, s.staging.y, 'staging.z' /* staging.z */ from staging_stg_course s join dim_course c join meta . loads",
  )
})

test('what a statement reads', () => {
  const sql =
    'select 1 from staging.stg_course join fact_enrollment join core.dim_date on my_dim_course.x = 1'
  const read = ['staging.stg_course', 'core.fact_enrollment', 'core.dim_date']
  expect(read.filter((name) => mentions(sql, name))).toEqual(read)
  const others = [
    'staging.stg_cours',
    'core.dim_course',
    'core.stg_course',
    'core.fact',
    'staging.fact_enrollment',
  ]
  expect(others.filter((name) => mentions(sql, name))).toEqual([])
})

test('a small result as a SELECT, its texts as they are', () => {
  const columns = [
    { name: 'term', type: 'text' },
    { name: 'first_day', type: 'date' },
  ] as const
  expect(
    rowsSelect({
      columns,
      rows: [
        ["it's \\ 1", '2026-01-12'],
        [null, null],
      ],
    }),
  ).toBe(
    "select cast(`term` as string) as `term`, cast(`first_day` as date) as `first_day` from values ('it''s \\\\ 1', '2026-01-12'), (null, null) as t(`term`, `first_day`)",
  )
  expect(rowsSelect({ columns, rows: [] })).toBe(
    'select cast(null as string) as `term`, cast(null as date) as `first_day` where false',
  )
})
