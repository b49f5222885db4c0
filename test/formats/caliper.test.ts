/** Caliper envelopes: from the fixtures to facts, and what is wrong with the bad ones. */

import { expect, test } from 'vitest'
import { countsOf, FormatCampus, goldenFacts } from './format-campus.ts'

const GOOD = ['envelopes-1.1.ndjson', 'envelopes-1.2.json', 'envelope-1.0.json']
const user = (number: number) => `https://campus.example/users/${number}`
const PEOPLE = [700101, 700102, 700103, 700104, 700105].map((number) => ({ id: user(number) }))

const campus = FormatCampus.shared('caliper', PEOPLE)

test('every event of three versions is the fact that it says', async () => {
  const loaded = await campus.load(GOOD)
  expect(countsOf(loaded)).toEqual([
    // A person and a program's own event are none of a learner's.
    [{ mapping: 'caliper', read: 7, mapped: 6, rejected: 0, filtered: 1, doubled: 0 }],
    [{ mapping: 'caliper', read: 10, mapped: 9, rejected: 0, filtered: 1, doubled: 0 }],
    [{ mapping: 'caliper', read: 2, mapped: 2, rejected: 0, filtered: 0, doubled: 0 }],
  ])
  await expect(await campus.facts()).toMatchFileSnapshot(goldenFacts('caliper'))
})

test('the same files again change nothing', async () => {
  const loaded = await campus.load(GOOD)
  expect(loaded.map(({ outcome }) => outcome)).toEqual(['unchanged', 'unchanged', 'unchanged'])
})

test('a bad event is told by its line, its place in the envelope and its column', async () => {
  await campus.load('bad.ndjson')
  expect(await campus.rejects()).toEqual([
    'bad.ndjson:1:record-2 occurred_at:missing occurred_at',
    'bad.ndjson:2 json:malformed',
    'bad.ndjson:3:record-1 occurred_at:type occurred_at',
    'bad.ndjson:3:record-2 learner_id:missing learner_id',
    'bad.ndjson:3:record-3 score:range score',
    'bad.ndjson:3:record-4 json:malformed',
  ])
})

test('nobody of the fixtures is anywhere in the warehouse', async () => {
  const ids = [700101, 700102, 700103, 700104, 700105, 700900].map(String)
  const said = ['Amara Okonkwo-Test', 'amara.okonkwo@campus.example', 'Bao Nguyen-Test', '+49 30 901820']
  await campus.expectNothingPersonal([...GOOD, 'bad.ndjson'], [...ids, ...said])
})

test('20,000 events in envelopes load with the memory that a load has', async () => {
  using many = await FormatCampus.create('caliper', PEOPLE)
  const [, event = {}] = JSON.parse(campus.text('envelopes-1.1.ndjson').split('\n')[0] as string).data
  const id = (number: number) => `urn:uuid:5ca1ab1e-0000-4000-9000-${String(number).padStart(12, '0')}`
  const envelopes = Array.from({ length: 200 }, (_, batch) => ({
    ...{ sensor: 's', sendTime: '2026-10-05T12:00:00Z' },
    data: Array.from({ length: 100 }, (_, place) => ({ ...event, id: id(100 * batch + place) })),
  }))
  const text = envelopes.map((envelope) => `${JSON.stringify(envelope)}\n`).join('')
  const [loaded] = await many.warehouse.load(many.warehouse.write('given/many.ndjson', text))
  expect(loaded?.mappings[0]?.counts).toMatchObject({ read: 20_000, mapped: 20_000 })
})
