/** Canvas Live Events and Canvas Data 2: from the fixtures to facts, and what is wrong with the bad ones. */

import { describe, expect, test } from 'vitest'
import { randomOf, replayable, seeds, shuffled } from '../faults/seeds.ts'
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

  test('a deletion counts by its own time, also where it is loaded before what it deletes', async () => {
    const row = (id: number, day: string, value?: object) =>
      `${JSON.stringify({ key: { id }, meta: { ts: `2026-09-${day}T00:00:00Z`, action: value ? 'U' : 'D' }, value })}\n`
    const enrolled = (id: number, day: string, course: number, workflow_state: string) => {
      const whose = { user_id: 920000 + id, course_id: course, course_section_id: 4811, workflow_state }
      return row(id, day, { ...whose, type: 'StudentEnrollment', created_at: '2026-09-05T08:00:00Z' })
    }
    const named = (id: number, day: string) =>
      row(id, day, { sortable_name: 'Vega-Test', workflow_state: 'registered', created_at: `2025-08-${day}` })
    const pieces = {
      canvas_data_enrollment: [
        [enrolled(1, '06', 565, 'active'), enrolled(2, '06', 565, 'active')],
        [enrolled(2, '10', 565, 'completed'), enrolled(4, '06', 565, 'active')],
        [row(1, '20'), row(2, '08'), row(3, '20')],
        [enrolled(4, '10', 566, 'active'), enrolled(5, '06', 565, 'active')],
        [row(5, '07')],
      ],
      canvas_data_learner: [
        [named(920001, '06'), named(920002, '06')],
        [row(920001, '10'), row(920002, '20'), row(920003, '20')],
        [named(920001, '30')],
      ],
    }
    const all = Object.entries(pieces).flatMap(([mapping, files]) => files.map((rows) => ({ mapping, rows })))
    for (const seed of seeds(1)) {
      await replayable('test/formats/canvas.test.ts', 'a deletion counts by its own time', seed, async () => {
        const random = randomOf(seed)
        using other = await FormatCampus.create('canvas', PEOPLE)
        for (const [index, { mapping, rows }] of shuffled(all, random).entries()) {
          const file = other.warehouse.write(`given/${index}.jsonl`, shuffled(rows, random).join(''))
          await other.warehouse.load(file, { mappings: [mapping] })
          if (random.below(3) === 0) await other.warehouse.build()
        }
        const facts = (await other.facts()).split('\n')
        expect(facts.filter((line) => /^files:|deleted|2025/.test(line))).toEqual([
          'files:2 | <920002> | 565 | 1 | 2026-09-05T08:00:00Z | completed | - | -',
          'files:4 | <920004> | 566 | 1 | 2026-09-05T08:00:00Z | active | - | -',
          '<920001> | false | - | - | - | 2025-08-30 | -',
          '<920002> | false | - | - | - | 2025-08-06 | {"deleted":true}',
        ])
      })
    }
  }, 120_000)

  test('nobody of the fixtures is anywhere in the warehouse', async () => {
    const ids = PEOPLE.map(({ id }) => id)
    const said = ['Marisol Vega-Test', 'Ifeoma Obi-Test', '920900', '910777']
    await campus.expectNothingPersonal([...FILES, ...ENROLLMENTS], [...ids, ...said])
  })
})
