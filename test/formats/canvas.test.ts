/** Canvas Live Events and Canvas Data 2: from the fixtures to facts, and what is wrong with the bad ones. */

import { describe, expect, test } from 'vitest'
import { countsOf, FormatCampus, goldenFacts, MANY_REJECTS } from './format-campus.ts'

describe('live events', () => {
  const PEOPLE = [910001, 910002].map((number) => ({ id: `21070000000${number}` }))
  const campus = FormatCampus.shared('canvas', PEOPLE)

  test('courses, enrollments and what learners do come from one file, in one transaction', async () => {
    const loaded = await campus.load('live-events.ndjson')
    expect(countsOf(loaded).flat()).toEqual([
      { mapping: 'canvas_live_course', read: 21, mapped: 2, rejected: 0, filtered: 19, doubled: 0 },
      { mapping: 'canvas_live_enrollment', read: 21, mapped: 4, rejected: 0, filtered: 17, doubled: 0 },
      // Not a teacher's page, nor what only teachers make.
      { mapping: 'canvas_live_event', read: 21, mapped: 12, rejected: 0, filtered: 9, doubled: 0 },
    ])
    await expect(await campus.facts()).toMatchFileSnapshot(goldenFacts('canvas-live'))
  })

  test('a bad event is told by its line and column, by each mapping that reads it', async () => {
    await campus.load('bad.ndjson')
    expect(await campus.rejects()).toEqual([
      'bad.ndjson:1 score:range score',
      'bad.ndjson:2 occurred_at:type occurred_at',
      'bad.ndjson:3 course_id:missing course_id',
      'bad.ndjson:4 learner_id:missing learner_id',
      ...['bad.ndjson:5 json:malformed', 'bad.ndjson:5 json:malformed', 'bad.ndjson:5 json:malformed'],
    ])
  })

  test('nobody of the fixtures is anywhere in the warehouse', async () => {
    const ids = [910001, 910002, 910900].map((number) => `21070000000${number}`)
    const said = ['Yuki Tanaka-Test', 'yuki.tanaka', 'SIS-910001', 'lti-910001', '203.0.113.34']
    await campus.expectNothingPersonal(['live-events.ndjson', 'bad.ndjson'], [...ids, ...said])
  })
})

describe('Canvas Data 2', () => {
  const PEOPLE = [920001, 920002, 920003, 920004, 920005, 920006].map((number) => ({ id: String(number) }))
  const FILES = ['users.jsonl', 'courses.jsonl', 'submissions.jsonl']
  const ENROLLMENTS = ['enrollments-snapshot.jsonl', 'enrollments-incremental.jsonl', 'enrollments.csv']
  const campus = FormatCampus.shared('canvas', PEOPLE)

  test('each table is recognised, as JSON lines and as CSV; what is deleted is gone', async () => {
    const loaded = await campus.load([...FILES, ...ENROLLMENTS])
    expect(
      loaded.flatMap(({ mappings }) => mappings.map(({ mapping, rows }) => `${mapping} ${rows}`)),
    ).toEqual([
      ...['canvas_data_learner 3', 'canvas_data_course 3', 'canvas_data_submission 2'],
      ...['canvas_data_enrollment 3', 'canvas_data_enrollment 3', 'canvas_data_enrollment 2'],
    ])
    await expect(await campus.facts()).toMatchFileSnapshot(goldenFacts('canvas-data'))
  })

  test('a bad row is told by its line and column', async () => {
    expect(await campus.rejects()).toEqual([
      'enrollments.csv:4 course_id:missing course_id',
      'enrollments.csv:5 enrolled_at:type enrolled_at',
    ])
  })

  test('the same in another order makes the same facts', async () => {
    using other = await FormatCampus.create('canvas', PEOPLE, MANY_REJECTS)
    for (const name of [...ENROLLMENTS, ...FILES].reverse()) {
      await other.load(name)
      await other.facts()
    }
    expect(await other.facts()).toBe(await campus.facts())
  })

  test('nobody of the fixtures is anywhere in the warehouse', async () => {
    const ids = PEOPLE.map(({ id }) => id)
    const said = ['Marisol Vega-Test', 'Ifeoma Obi-Test', '920900', '910777']
    await campus.expectNothingPersonal([...FILES, ...ENROLLMENTS], [...ids, ...said])
  })
})
