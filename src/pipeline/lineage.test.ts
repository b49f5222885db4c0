/** What lineage says that a build reads, by the text of its models. */

import { expect, test } from 'vitest'
import { listSql } from '../sql-files.ts'
import { readDeclared } from './declared.ts'
import { movesOfBuild, movesOfLoad } from './lineage.ts'

const TABLES = readDeclared('duckdb').tables.flatMap(({ name, kind }) => (kind === 'table' ? name : []))

test('tells of every table of core which tables it is made of', () => {
  const models = listSql('models').filter((name) => TABLES.includes(`core.${name}`))
  const moves = movesOfBuild({ models: models.map((name) => ({ name, rows: 1, milliseconds: 0 })) })
  const told = [...moves].map(
    ([model, { inputs }]) => `${model}: ${inputs.map(({ name }) => name).join(', ')}`,
  )
  expect(told.join('\n')).toMatchInlineSnapshot(`
    "agg_course_day: core.fact_course_completion, core.fact_enrollment, core.fact_learning_event
    bridge_course_instructor: staging.stg_course
    dim_course: staging.stg_course, staging.stg_course_completion, staging.stg_deletion, staging.stg_enrollment, staging.stg_learning_event
    dim_course_category: staging.stg_course, staging.stg_course_category, staging.stg_deletion
    dim_date: core.fact_course_completion, core.fact_enrollment, core.fact_learning_event
    dim_instructor: core.bridge_course_instructor, staging.stg_course, staging.stg_deletion, staging.stg_instructor
    dim_learner: staging.stg_course_completion, staging.stg_deletion, staging.stg_enrollment, staging.stg_learner, staging.stg_learning_event
    fact_course_completion: core.fact_enrollment, core.fact_learning_event, staging.stg_course_completion, staging.stg_deletion
    fact_enrollment: core.fact_learning_event, staging.stg_course_completion, staging.stg_deletion, staging.stg_enrollment
    fact_learning_event: staging.stg_deletion, staging.stg_learning_event"
  `)
  for (const { inputs, outputs } of moves.values())
    for (const { name, columns } of [...inputs, ...outputs]) {
      expect(TABLES).toContain(name)
      expect(columns?.length).toBeGreaterThan(0)
    }
})

test('tells of a load where its records went, and neither file nor path', () => {
  const counts = { read: 10, mapped: 6, rejected: 1, filtered: 3, doubled: 0 }
  const mapping = {
    loadId: 1,
    mapping: 'events',
    entity: 'learning_event',
    rows: 6,
    written: [
      { table: 'staging.stg_learning_event', rows: 5 },
      { table: 'staging.stg_deletion', rows: 1 },
      { table: 'raw.raw_learning_events', rows: 9 },
      { table: 'raw.rejected_rows', rows: 1 },
    ],
    counts,
    reasons: [],
    undated: 0,
    leftOut: [],
  }
  const file = { input: '/home/anna/clicks.csv', source: 'lms', format: 'csv', replaced: [], milliseconds: 1 }
  const moves = movesOfLoad({ ...file, outcome: 'loaded', mappings: [mapping] })
  expect(moves.outputs.map(({ name, rows }) => [name, rows])).toEqual([
    ['staging.stg_learning_event', 5],
    ['staging.stg_deletion', 1],
    ['raw.raw_learning_events', 9],
    ['raw.rejected_rows', 1],
  ])
  expect(JSON.stringify(moves)).not.toContain('anna')
  expect(movesOfLoad({ ...file, outcome: 'unchanged', mappings: [mapping] })).toEqual({
    inputs: [],
    outputs: [],
  })
})
