/** Every check: silent on good data, and loud at each fault that it is there for. */

import type { DuckDBConnection } from '@duckdb/node-api'
import { beforeAll, describe, expect, test } from 'vitest'
import { makeCampus, openCampus } from './report-campus.test-support.ts'
import { expand } from './sql-expand.ts'
import { listSql, readSql } from './sql-files.ts'

let db: DuckDBConnection

beforeAll(async () => {
  db = await openCampus(makeCampus(20260105))
})

async function failures(check: string): Promise<string> {
  const reader = await db.runAndReadAll(expand(readSql('checks', check).body, 'duckdb'))
  return JSON.stringify(reader.getRowsJson())
}

const COMPLETED = '(select learner_key from fact_course_completion order by learner_key, course_key limit 1)'
const oneEvent = 'event_id = (select min(event_id) from fact_learning_event where course_key = 1)'
const oneEnrollment = 'enrollment_id = (select min(enrollment_id) from fact_enrollment)'
const CATEGORY = `insert into staging.stg_course_category
  (category_id, category_key, parent_category_id, parent_category_key, effective_at, source, load_id, position) values`

/** Loads of a source, each by its day and how many records it has. */
function loadsOf(source: string, ...loads: readonly (readonly [day: string, records: number])[]): string {
  const rows = loads.map(
    ([day, records], index) =>
      `(${100 + index}, '${source}', 'csv', 'x', '', 0, ${records}, ${records}, 0, 0, 0, '', '', null, timestamp '${day}', timestamp '${day}', null)`,
  )
  return `insert into meta.loads values ${rows.join(', ')}`
}

/** The newest of those, mapped again three days later. */
const MAPPED_AGAIN = `; insert into meta.loads
  select * replace (104 as load_id, committed_at + interval 3 day as committed_at) from meta.loads where load_id = 103;
  update meta.loads set superseded_by = 104 where load_id = 103`

const OTHERS_REGISTERED =
  "update staging.stg_learning_event set event_type = 'registered', learner_key = learner_key + 1000 where course_key = 1"

/** A check, a fault, and a text that its finding must hold. */
const FAULTS: readonly (readonly [string, string, string])[] = [
  ['attempts-in-order', `update fact_enrollment set attempt = 3 where ${oneEnrollment}`, '3'],
  [
    'attempts-in-order',
    "update fact_enrollment set enrolled_at = timestamp '2027-01-01' where attempt = 1 and learner_key in (select learner_key from fact_enrollment where attempt = 2)",
    '2027-01-01',
  ],
  ['category-tree', 'update dim_course_category set level = 5 where category_key = 13', '13'],
  ['category-tree', 'update dim_course_category set parent_category_key = 99 where category_key = 13', '99'],
  [
    'category-tree',
    "update dim_course_category set path = 'Elsewhere/Data' where category_key = 13",
    'Elsewhere',
  ],
  ['category-tree', 'update dim_course_category set level = 2 where category_key = 14', '14'],
  [
    'category-parents',
    `${CATEGORY} ('cat11', 11, 'gone', 99, timestamp '2026-01-01', 'lms', 1, 1)`,
    'not arrived',
  ],
  [
    'category-parents',
    `${CATEGORY} ('cat11', 11, 'cat11', 11, timestamp '2026-01-01', 'lms', 1, 1)`,
    'own ancestor',
  ],
  [
    'completed-without-completion',
    `update fact_enrollment set status = 'completed' where learner_key = 46 and course_key = 4`,
    'roster',
  ],
  ['course-days-agree', 'update agg_course_day set events = events + 1 where course_key = 1', '"1"'],
  ['course-days-agree', `delete from fact_learning_event where ${oneEvent}`, '"1"'],
  ['course-days-agree', `delete from fact_enrollment where ${oneEnrollment}`, '"1"'],
  [
    'course-days-agree',
    `update fact_enrollment set withdrawn_date_key = 20260301 where ${oneEnrollment}`,
    '20260301',
  ],
  ['course-days-agree', 'delete from fact_course_completion where course_key = 5', '"5"'],
  ['course-days-agree', `update fact_learning_event set quantity = 3 where ${oneEvent}`, '-2'],
  ['course-days-agree', 'delete from agg_course_day where course_key = 2', '"2"'],
  ['courses-find-dimensions', 'delete from dim_course_category where category_key = 15', '15'],
  [
    'courses-find-dimensions',
    'delete from dim_instructor where instructor_key = 7',
    'bridge_course_instructor',
  ],
  ['courses-find-dimensions', 'update dim_course set instructor_key = 8 where course_key = 2', '"8"'],
  ['courses-find-dimensions', 'insert into bridge_course_instructor values (88, 7, false)', '88'],
  [
    'dates-in-order',
    `update fact_enrollment set withdrawn_date_key = enrolled_date_key - 1 where ${oneEnrollment}`,
    'withdrawn',
  ],
  ['dates-in-order', "update dim_course set starts_on = date '2026-03-01' where course_key = 3", 'HI201'],
  [
    'erased-stay-erased',
    "insert into meta.erased select sha256('lpa:erased:' || learner_id), now() from learner where learner_key = 5",
    'dim_learner',
  ],
  [
    'events-from-the-future',
    "update meta.loads set committed_at = timestamp '2026-01-20' where load_id = 2",
    'lms',
  ],
  [
    'events-from-the-future',
    "update staging.stg_enrollment set enrolled_at = timestamp '2026-07-02' where position = 1",
    'enrollment',
  ],
  [
    'events-from-the-future',
    "update staging.stg_course_completion set completed_at = timestamp '2026-07-02' where position = 1",
    'completion',
  ],
  ['facts-find-dimensions', 'delete from dim_learner where learner_key = 42', '"42"'],
  ['facts-find-dimensions', 'delete from dim_learner where learner_key = 0', '"0"'],
  ['facts-find-dimensions', 'delete from dim_course where course_key = 2', 'agg_course_day'],
  ['facts-find-dimensions', 'delete from dim_course where course_key = 5', 'fact_course_completion'],
  ['facts-find-dimensions', 'delete from dim_date where date_key = 20260114', '20260114'],
  [
    'facts-find-dimensions',
    `update fact_enrollment set withdrawn_date_key = 19991231 where ${oneEnrollment}`,
    '19991231',
  ],
  ['known-words', `update fact_learning_event set event_type = 'liked' where ${oneEvent}`, 'liked'],
  ['known-words', `update fact_enrollment set status = 'paused' where ${oneEnrollment}`, 'paused'],
  ['loads-add-up', 'update meta.loads set records_read = 11 where load_id = 2', '11'],
  ['none-rows', 'delete from dim_course where course_key = 0', 'dim_course'],
  ['none-rows', 'insert into dim_instructor values (0, null, null, null)', 'dim_instructor'],
  [
    'numbers-in-range',
    `update fact_learning_event set score = 1.01 where ${oneEvent}`,
    'fact_learning_event',
  ],
  [
    'numbers-in-range',
    `update fact_learning_event set progress = -0.01 where ${oneEvent}`,
    'fact_learning_event',
  ],
  [
    'numbers-in-range',
    `update fact_learning_event set duration_seconds = -1 where ${oneEvent}`,
    'fact_learning_event',
  ],
  [
    'numbers-in-range',
    `update fact_course_completion set final_score = 100 where learner_key = ${COMPLETED}`,
    'fact_course_completion',
  ],
  [
    'numbers-in-range',
    `update fact_enrollment set price_amount = -5 where ${oneEnrollment}`,
    'fact_enrollment',
  ],
  ['one-key', "update meta.loads set key_id = 'of another key' where load_id = 2", 'of another key'],
  [
    'one-key-one-id',
    "update staging.stg_learning_event set learner_id = 'other' where learner_key = 3",
    'other',
  ],
  ['one-key-one-id', "update staging.stg_enrollment set course_id = 'CS999' where course_key = 1", 'CS999'],
  [
    'one-key-one-id',
    `insert into staging.stg_instructor (instructor_id, instructor_key, effective_at, source, load_id, position)
     values ('i8', 7, now(), 'x', 1, 1)`,
    'i8',
  ],
  [
    'one-key-one-id',
    `insert into staging.stg_course_category (category_id, category_key, effective_at, source, load_id, position)
     values ('cat99', 13, now(), 'x', 1, 1)`,
    'cat99',
  ],
  ['events-reach-facts', 'delete from fact_learning_event where date_key = 20260114', '20260114'],
  // One of many, and another in its place.
  ['events-reach-facts', `delete from fact_learning_event where ${oneEvent}`, 'no fact'],
  ['events-reach-facts', `update fact_learning_event set event_id = 'other' where ${oneEvent}`, 'no fact'],
  ['events-reach-facts', `update fact_learning_event set event_id = 'other' where ${oneEvent}`, 'not staged'],
  // A day that is not of the loads to check.
  [
    'events-reach-facts',
    'delete from checked_load; delete from staging.stg_learning_event where date_key = 20260114',
    '20260114',
  ],
  ['events-reach-facts', 'delete from staging.stg_learning_event where date_key = 20260114', '20260114'],
  ['staging-reaches-facts', `delete from fact_enrollment where ${oneEnrollment}`, 'enrollment'],
  [
    'staging-reaches-facts',
    `insert into staging.stg_course_completion (learner_id, learner_key, course_id, course_key, completed_at,
      completed_date_key, effective_at, source, load_id, position)
     values ('x', 4242, 'CS101', 1, now(), 20260101, now(), 'x', 1, 1)`,
    '4242/1',
  ],
  ['required-values', 'update dim_learner set learner_id = null where learner_key = 5', 'dim_learner'],
  ['required-values', 'update dim_course set course_id = null where course_key = 2', 'dim_course'],
  [
    'required-values',
    'update dim_course_category set category_id = null where category_key = 12',
    'dim_course_category',
  ],
  ['required-values', 'insert into dim_instructor values (8, null, null, null)', 'dim_instructor'],
  [
    'required-values',
    `update fact_enrollment set withdrawn_at = enrolled_at, withdrawn_date_key = null where ${oneEnrollment}`,
    'fact_enrollment',
  ],
  ['roster-agrees-with-events', OTHERS_REGISTERED, '"1"'],
  // Three loads a day apart, and then nothing for three days.
  [
    'sources-stay-fresh',
    loadsOf('sis', ['2026-06-24', 100], ['2026-06-25', 100], ['2026-06-26', 100], ['2026-06-27', 100]),
    'sis',
  ],
  [
    'sources-stay-fresh',
    loadsOf('sis', ['2026-06-24', 100], ['2026-06-25', 100], ['2026-06-26', 100], ['2026-06-27', 100]) +
      MAPPED_AGAIN,
    'sis',
  ],
  [
    'volume-is-steady',
    loadsOf('sis', ['2026-06-27', 100], ['2026-06-28', 200], ['2026-06-29', 120], ['2026-06-30', 29]),
    '29',
  ],
  [
    'volume-is-steady',
    loadsOf('sis', ['2026-06-24', 100], ['2026-06-25', 200], ['2026-06-26', 120], ['2026-06-27', 29]) +
      MAPPED_AGAIN,
    '29',
  ],
  [
    'volume-is-steady',
    loadsOf('sis', ['2026-06-27', 100], ['2026-06-28', 200], ['2026-06-29', 120], ['2026-06-30', 481]),
    '481',
  ],
  [
    'suspected-doubles',
    `insert into fact_learning_event select * replace ('copy' as event_id, 'other lms' as source) from fact_learning_event where ${oneEvent}`,
    'other lms',
  ],
  ['unique-dimensions', 'insert into dim_date select * from dim_date where date_key = 20260114', '20260114'],
  [
    'unique-dimensions',
    'insert into dim_course_category select * from dim_course_category where category_key = 13',
    '13',
  ],
  [
    'unique-dimensions',
    'insert into dim_instructor select * from dim_instructor where instructor_key = 7',
    '"7"',
  ],
  ['unique-dimensions', 'insert into bridge_course_instructor values (1, 7, false)', '1/7'],
  [
    'unique-events',
    `insert into fact_learning_event select * from fact_learning_event where ${oneEvent}`,
    '2',
  ],
  [
    'unique-facts',
    `insert into fact_enrollment select * from fact_enrollment where ${oneEnrollment}`,
    'fact_enrollment',
  ],
  [
    'unique-facts',
    `insert into fact_enrollment select * replace ('new' as enrollment_id) from fact_enrollment where ${oneEnrollment}`,
    'fact_enrollment attempt',
  ],
  [
    'unique-facts',
    'insert into fact_course_completion select * from fact_course_completion where course_key = 5',
    '40/5',
  ],
  [
    'unique-facts',
    'insert into agg_course_day select * from agg_course_day where course_key = 5',
    'agg_course_day',
  ],
  ['versions-tile-time', 'delete from dim_learner where learner_key = 3 and is_current', '"3"'],
  [
    'versions-tile-time',
    "update dim_learner set valid_from = timestamp '2026-02-02' where learner_key = 3 and is_current",
    '"3"',
  ],
  [
    'versions-tile-time',
    "update dim_learner set valid_to = timestamp '2026-02-03' where learner_key = 3 and not is_current",
    '"3"',
  ],
  ['versions-tile-time', 'update dim_course set is_current = true where course_key = 1', '"1"'],
  [
    'versions-tile-time',
    "update dim_course set valid_to = timestamp '2030-01-01' where course_key = 4",
    '2030-01-01',
  ],
  ['versions-tile-time', 'insert into dim_course select * from dim_course where course_key = 4', '"4"'],
]

describe('checks', () => {
  test.each(listSql('checks'))('%s finds nothing in good data and says what it is', async (check) => {
    const { title, severity } = readSql('checks', check)
    expect(title).not.toBe('')
    expect(severity).toMatch(/^(error|warning)$/)
    expect(await failures(check)).toBe('[]')
  })

  test.each(FAULTS)('%s finds: %s', async (check, fault, text) => {
    await db.run('begin')
    try {
      await db.run(fault)
      const found = await failures(check)
      expect(found).not.toBe('[]')
      expect(found).toContain(text)
    } finally {
      await db.run('rollback')
    }
  })

  test.each([
    [
      'volume-is-steady',
      loadsOf('sis', ['2026-06-27', 100], ['2026-06-28', 200], ['2026-06-29', 120], ['2026-06-30', 30]),
    ],
    ['volume-is-steady', loadsOf('sis', ['2026-06-28', 200], ['2026-06-29', 120], ['2026-06-30', 1])],
    [
      'sources-stay-fresh',
      loadsOf('sis', ['2026-06-26', 9], ['2026-06-27', 9], ['2026-06-28', 9], ['2026-06-30', 9]),
    ],
    ['sources-stay-fresh', loadsOf('sis', ['2026-06-01', 9], ['2026-06-02', 9], ['2026-06-03', 9])],
    [
      'roster-agrees-with-events',
      `${OTHERS_REGISTERED}; insert into staging.stg_deletion by name
        select 'learning_event' as entity, event_id, occurred_at as effective_at, source, load_id, position
        from staging.stg_learning_event where course_key = 1`,
    ],
    [
      'roster-agrees-with-events',
      "delete from staging.stg_learning_event where event_type = 'registered' and course_key = 1",
    ],
  ])('%s bears what is ordinary', async (check, change) => {
    await db.run('begin')
    try {
      await db.run(change)
      expect(await failures(check)).toBe('[]')
    } finally {
      await db.run('rollback')
    }
  })

  test('each check has a fault here', () => {
    expect([...new Set(FAULTS.map(([check]) => check))].sort()).toEqual(listSql('checks'))
  })
})
