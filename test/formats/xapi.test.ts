/** xAPI statements of 1.0.3, 2.0 and cmi5: from the fixtures to facts, and what is wrong with the bad ones. */

import { afterAll, beforeAll, expect, test } from 'vitest'
import { FormatCampus, goldenFacts } from './format-campus.ts'

const GOOD = ['statements-1.0.3.ndjson', 'statements-2.0.json', 'cmi5.ndjson']
const PEOPLE = [
  ...[950001, 950002, 950003, 950005, 950009].map((number) => ({
    id: `learner-${number}`,
    space: 'https://lrs.example',
  })),
  { id: 'saoirse.kelly@lrs.example', class: 'email' as const },
  { id: 'ebd31e95054c018b10727ccffd2ef2ec3a016ee9' },
  { id: 'https://openid.example/learner-950004' },
]

let campus: FormatCampus
beforeAll(async () => {
  campus = await FormatCampus.create('xapi', PEOPLE, '[load]\nmax_rejects = "90%"\n')
})
afterAll(() => campus[Symbol.dispose]())

test('every statement is the fact that it says; neither what is voided nor a group counts', async () => {
  const loaded = await campus.load(GOOD)
  expect(
    loaded.map(({ mappings }) => mappings.map(({ mapping, counts }) => ({ mapping, ...counts }))),
  ).toEqual([
    [{ mapping: 'xapi', read: 10, mapped: 8, rejected: 0, filtered: 2, doubled: 0 }],
    [{ mapping: 'xapi', read: 4, mapped: 2, rejected: 0, filtered: 2, doubled: 0 }],
    [{ mapping: 'xapi', read: 8, mapped: 8, rejected: 0, filtered: 0, doubled: 0 }],
  ])
  await expect(await campus.facts()).toMatchFileSnapshot(goldenFacts('xapi'))
})

test('a bad statement is told by its line and column, and kept with its id', async () => {
  await campus.load('bad.ndjson')
  expect(await campus.rejects()).toEqual([
    'bad.ndjson:1 score:range score',
    'bad.ndjson:2 learner_id:missing learner_id',
    'bad.ndjson:3 occurred_at:type occurred_at',
    'bad.ndjson:4 event_type:missing event_type',
  ])
  const ids = await campus.warehouse.rows(`select payload ->> '$.id' from raw.rejected_rows order by 1`)
  expect(ids.map(([id]) => String(id).slice(-2))).toEqual(['41', '42', '43', '44'])
})

test('nobody of the fixtures is anywhere in the warehouse', async () => {
  const names = ['Tariq', 'Haddad-Test', 'Nobody Known-Test', 'Team Haddad', 'group-950077']
  const mails = [
    'saoirse.kelly@lrs.example',
    'oskar.lind@lrs.example',
    'noor.devries@lrs.example',
    'admin@lrs.example',
  ]
  const ids = PEOPLE.map(({ id }) => id).filter((id) => !mails.includes(id))
  await campus.expectNothingPersonal([...GOOD, 'bad.ndjson'], [...ids, ...names, ...mails])
})
