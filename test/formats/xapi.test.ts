/** xAPI statements of 1.0.3, 2.0 and cmi5: from the fixtures to facts, and what is wrong with the bad ones. */

import { expect, test } from 'vitest'
import { countsOf, FormatCampus, goldenFacts } from './format-campus.ts'
import { XAPI_PEOPLE } from './people.ts'

const GOOD = ['statements-1.0.3.ndjson', 'statements-2.0.json', 'cmi5.ndjson']
const campus = FormatCampus.shared('xapi', XAPI_PEOPLE)

test('every statement is the fact that it says; neither what is voided nor a group counts', async () => {
  const loaded = await campus.load(GOOD)
  expect(countsOf(loaded)).toEqual([
    [{ mapping: 'xapi', read: 10, mapped: 10, rejected: 0, filtered: 0, doubled: 0 }],
    [{ mapping: 'xapi', read: 4, mapped: 2, rejected: 0, filtered: 2, doubled: 0 }],
    [{ mapping: 'xapi', read: 8, mapped: 8, rejected: 0, filtered: 0, doubled: 0 }],
  ])
  await expect(await campus.facts()).toMatchFileSnapshot(goldenFacts('xapi'))
})

test('what an LRS answers is read by its statements', async () => {
  using other = await FormatCampus.create('xapi', XAPI_PEOPLE)
  const statements = GOOD.flatMap((name) => other.values(name))
  const answer = (some: readonly object[], more: string) => JSON.stringify({ statements: some, more })
  const page = other.warehouse.write('given/page.json', answer(statements.slice(0, 15), '/more/2'))
  const last = JSON.stringify(JSON.parse(answer(statements.slice(15), '')), null, 2)
  await other.warehouse.load([page, other.warehouse.write('given/last.json', last)])
  expect(await other.facts()).toBe(await campus.facts())
})

test('what is voided in another load leaves every table, whichever comes first', async () => {
  const course = {
    id: 'https://lrs.example/courses/1',
    definition: { type: 'http://adlnet.gov/expapi/activities/course' },
  }
  const statement = (number: number, verb: string, object: object) => ({
    id: `0ddba11a-0000-4000-8000-0000000001${number}`,
    ...{ actor: { account: { homePage: 'https://lrs.example', name: 'learner-950001' } } },
    ...{
      verb: { id: `http://adlnet.gov/expapi/verbs/${verb}` },
      object,
      timestamp: `2026-10-05T08:${number}:00Z`,
    },
  })
  const said = [
    statement(11, 'registered', course),
    statement(12, 'completed', course),
    statement(13, 'experienced', course),
  ]
  const taken = said
    .slice(0, 2)
    .map(({ id }, index) => statement(20 + index, 'voided', { objectType: 'StatementRef', id }))
  const left: string[] = []
  for (const files of [
    [said, taken],
    [taken, said],
  ]) {
    using other = await FormatCampus.create('xapi', XAPI_PEOPLE)
    for (const [index, file] of files.entries()) {
      const lines = file.map((line) => JSON.stringify(line)).join('\n')
      await other.warehouse.load(other.warehouse.write(`given/${index}.ndjson`, `${lines}\n`))
      await other.warehouse.build()
    }
    const days = () => other.warehouse.rows('select * from agg_course_day')
    const [facts, inSteps] = [await other.facts(), await days()]
    await other.warehouse.build(true)
    expect([await other.facts(), await days()]).toEqual([facts, inSteps])
    left.push(facts, String(inSteps))
  }
  expect(left.slice(2)).toEqual(left.slice(0, 2))
  expect(left[0]).toContain('viewed')
  expect(left[0]).not.toMatch(/registered|completed|── enrollments|── completions/)
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
  const ids = XAPI_PEOPLE.map(({ id }) => id).filter((id) => !mails.includes(id))
  await campus.expectNothingPersonal([...GOOD, 'bad.ndjson'], [...ids, ...names, ...mails])
})
