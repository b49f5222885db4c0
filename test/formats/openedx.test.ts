/** Open edX tracking logs: from the fixtures to facts, and what is wrong with the bad ones. */

import { expect, test } from 'vitest'
import { countsOf, FormatCampus, goldenFacts } from './format-campus.ts'

const PEOPLE = [810001, 810002, 810003, 810004].map((number) => ({ id: String(number) }))

const campus = FormatCampus.shared('openedx', PEOPLE)

test('every event is the fact that it says, also enrollments that end and begin again', async () => {
  const loaded = await campus.load('tracking.log.ndjson')
  expect(countsOf(loaded).flat()).toEqual([
    // Of an answer what the browser says, a request of a machine, a person's page, and somebody who is not logged in.
    { mapping: 'openedx', read: 34, mapped: 30, rejected: 0, filtered: 4, doubled: 0 },
  ])
  await expect(await campus.facts()).toMatchFileSnapshot(goldenFacts('openedx'))
})

test('a log that was loaded changes nothing; its two equal lines both count', async () => {
  const [again] = await campus.load('tracking.log.ndjson')
  expect(again?.outcome).toBe('unchanged')
  const seeks = `select count(*) from fact_learning_event where event_type = 'seeked' and occurred_at = timestamp '2026-10-03 10:06:00'`
  expect(await campus.warehouse.value(seeks)).toBe(2)
})

test('a log is one although it begins with a line that is no JSON; bad lines are told by number and column', async () => {
  await campus.load('bad.ndjson')
  expect(await campus.rejects()).toEqual([
    'bad.ndjson:1 json:malformed',
    'bad.ndjson:3 occurred_at:type occurred_at',
    'bad.ndjson:4 score:range score',
    'bad.ndjson:5 json:malformed',
    'bad.ndjson:7 json:malformed',
  ])
})

test('nobody of the fixtures is anywhere in the warehouse', async () => {
  const ids = [810001, 810002, 810003, 810004, 810900].flatMap((id) => [String(id), `learner_${id}`])
  const said = ['Chidi', 'chidi.anagonye@campusx.example', '203.0.113.7']
  await campus.expectNothingPersonal(['tracking.log.ndjson', 'bad.ndjson'], [...ids, ...said])
})
