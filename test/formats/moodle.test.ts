/** Moodle's standard log: from the fixtures to facts, and what is wrong with the bad ones. */

import { expect, test } from 'vitest'
import { countsOf, FormatCampus, goldenFacts, MANY_REJECTS } from './format-campus.ts'

const GOOD = ['logstore.csv', 'logstore.json']
const PEOPLE = [900101, 900102, 900103].map((number) => ({ id: String(number) }))

const campus = FormatCampus.shared('moodle', PEOPLE)

test('every event is the fact that it says, of the learner and not of who enrolled or graded', async () => {
  const loaded = await campus.load(GOOD)
  expect(countsOf(loaded)).toEqual([
    [{ mapping: 'moodle', read: 17, mapped: 17, rejected: 0, filtered: 0, doubled: 0 }],
    // A teacher who is logged in as a learner, and a task.
    [{ mapping: 'moodle', read: 7, mapped: 5, rejected: 0, filtered: 2, doubled: 0 }],
  ])
  await expect(await campus.facts()).toMatchFileSnapshot(goldenFacts('moodle'))
})

test('the same events as CSV and as JSON count once', async () => {
  const [header = '', ...lines] = campus.text('logstore.csv').trim().split('\n')
  const names = header.split(',')
  // Without the column that holds commas and quotes.
  const records = lines.slice(1, 7).map((line) => {
    const cells = line.split(',').map((cell) => (/^-?\d+$/.test(cell) ? Number(cell) : cell || null))
    return JSON.stringify(Object.fromEntries(names.map((name, index) => [name, cells[index]])))
  })
  await campus.warehouse.load(campus.warehouse.write('given/again.ndjson', `${records.join('\n')}\n`))
  const before = await campus.facts()
  await expect(before).toMatchFileSnapshot(goldenFacts('moodle'))
})

test('a bad row is told by its line and column', async () => {
  await campus.load('bad.csv')
  expect(await campus.rejects()).toEqual([
    'bad.csv:3 occurred_at:type occurred_at',
    'bad.csv:4 event_type:missing event_type',
    'bad.csv:5 occurred_at:missing occurred_at',
    'bad.csv:6 csv:missing-columns',
  ])
})

test('nobody of the fixtures is anywhere in the warehouse', async () => {
  using other = await FormatCampus.create('moodle', PEOPLE, MANY_REJECTS)
  await other.load([...GOOD, 'bad.csv'])
  await other.facts()
  const ids = [900101, 900102, 900103, 900900].map(String)
  await other.expectNothingPersonal([...GOOD, 'bad.csv'], [...ids, 'ngozi.adeyemi', '203.0.113.9'])
})
