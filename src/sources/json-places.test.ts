import { afterAll, expect, test } from 'vitest'
import { StageFolder } from './stage.test-support.ts'

const folder = new StageFolder()
afterAll(() => folder[Symbol.dispose]())

const record = (more: object) => JSON.stringify({ since: '2026-01-12T08:00:00Z', ...more })
const ndjson = (...records: object[]) => `${records.map(record).join('\n')}\n`

const SEVERAL = `-- entity: learning_event
-- columns: since, who = $.actor.id | $.actor."@id" | $."a/ctor"."@id" | $.actor, thing = $.object.of.id | $.object.of | $.object.id
-- columns: thing_kind = $.object.type
-- personal: who(learner)
select who as learner_id, since as occurred_at, 'viewed' as event_type, thing as activity_id, thing_kind as activity_type
from source`

test('of several places the first that holds a text or a number counts; somebody is the same at each', async () => {
  const staged = await folder.stage(
    'several.ndjson',
    ndjson(
      { actor: { id: 'somebody' }, object: { id: 'o', of: { id: 'p' }, type: 'T' } },
      { actor: { '@id': 'somebody', id: null }, object: { id: 7, of: {} } },
      { actor: 'somebody', object: 'o' },
      { actor: ['somebody'], object: { of: 'p' } },
    ),
    SEVERAL,
  )
  const rows = await folder.rows<{ learner_id: string }>(staged, 'learner_id, activity_id, activity_type')
  const somebody = rows[0]?.learner_id
  expect(somebody).toHaveLength(64)
  expect(rows).toEqual([
    { learner_id: somebody, activity_id: 'p', activity_type: 'T' },
    { learner_id: somebody, activity_id: '7', activity_type: null },
    { learner_id: somebody, activity_id: null, activity_type: null },
  ])
  expect(staged.reasons.map(({ code }) => code)).toEqual(['learner_id:missing'])
  // What it was is kept at the first place.
  expect(await folder.rows(staged, `payload -> '$.actor' as actor`, 'raw.raw')).toEqual(
    Array(3).fill({ actor: JSON.stringify({ id: somebody }) }),
  )
  expect(await folder.everything(staged)).not.toContain('"somebody')
})

test.each([
  ['side by side', '"actor":{"@id":"a","@id":"b"}'],
  ['with blanks', '"actor" : { "@id" : "a" , "@id"\t: "b" }'],
  ['around an object', '"actor":{"@id":"a","more":{"of":1},"@id":"b"}'],
  ['around a text with brackets', '"actor":{"@id":"a","more":"}{","@id":"b"}'],
  ['around a text with quotes', String.raw`"actor":{"@id":"a","more":"\"}\\","@id":"b"}`],
  ['in what is spelled with escapes', String.raw`"\u0061ctor":{"@id":"a","@id":"b"}`],
  ['in what has slashes, also escaped', String.raw`"a\/ctor":{"@id":"a","@id":"b"},"actor":{"@id":"a"}`],
  ['in the second of two', '"object":{"actor":{"@id":"a"}},"actor":{"@id":"a","@id":"b"}'],
])('a key of a person that stands twice is rejected: %s', async (_, twice) => {
  const staged = await folder.stage('double.ndjson', `{"since":"2026-01-12T08:00:00Z",${twice}}\n`, SEVERAL)
  expect(staged.reasons.map(({ code }) => code)).toEqual(['json:double-key'])
})

test.each([
  ['inside it', '"actor":{"@id":"a","more":{"@id":"b"}}'],
  ['in a text', String.raw`"actor":{"@id":"a","more":"\"@id\":\"b\""}`],
  ['beside it', '"object":{"actor":{"@id":"a"},"@id":"b"},"actor":{"@id":"a"}'],
])('one that stands in another object too is none: %s', async (_, once) => {
  const staged = await folder.stage('once.ndjson', `{"since":"2026-01-12T08:00:00Z",${once}}\n`, SEVERAL)
  expect(staged.reasons).toEqual([])
  expect(await folder.rows(staged, 'learner_id')).toHaveLength(1)
})

const PARSED = `-- entity: learning_event
-- columns: since, event json, who = $.event.whom.id, more = $.event.more.deep
-- parse: $.event, $.event.more
-- personal: who(learner), $.event.answer(drop)
select who as learner_id, since as occurred_at, 'viewed' as event_type, more as activity_id, cast(event as json) as "attributes.event"
from source`

test('a text that holds JSON is read as that JSON, also inside another', async () => {
  const inner = { whom: { id: 'somebody' }, answer: 'secret answer', more: { deep: 'd' } }
  const staged = await folder.stage(
    'parsed.ndjson',
    ndjson(
      { event: inner },
      { event: JSON.stringify(inner) },
      { event: JSON.stringify({ ...inner, more: JSON.stringify(inner.more) }) },
      { event: 'input_1=secret&no=json' },
      { event: `{"whom":{"id":"somebody"},"whom":{"id":"other"}}` },
    ),
    PARSED,
  )
  const rows = await folder.rows<{ learner_id: string; event: string }>(
    staged,
    `learner_id, activity_id, attributes -> '$.event' as event`,
  )
  const [first] = rows
  expect(
    rows.map(({ learner_id, event: _, ...rest }) => ({ isSame: learner_id === first?.learner_id, ...rest })),
  ).toEqual(Array(3).fill({ isSame: true, activity_id: 'd' }))
  expect(rows.map(({ event }) => Object.keys(JSON.parse(event)).sort())).toEqual(
    Array(3).fill(['more', 'whom']),
  )
  expect(staged.reasons.map(({ code }) => code).sort()).toEqual(['json:double-key', 'learner_id:missing'])
  const everything = await folder.everything(staged)
  for (const clear of ['somebody', 'secret']) expect(everything).not.toContain(clear)
})

test('JSON in a text that is too deep, or none that JSON has, is rejected', async () => {
  const deep = `${'{"a":'.repeat(70)}1${'}'.repeat(70)}`
  const staged = await folder.stage(
    'odd.ndjson',
    ndjson({ event: deep }, { event: '{"whom":{"id":NaN}}' }, { event: '{"whom":{"id":"w"}}' }),
    PARSED,
  )
  expect(staged.reasons.map(({ code }) => code).sort()).toEqual(['json:depth', 'json:not-a-number'])
})

const DROPPED = `-- entity: learning_event
-- columns: since, who, thing = $.object.id, kind = $.object.type, note = $.object.note, details json
-- personal: who(learner), thing(drop if kind = Person | "Odd, one"), $.details.id(drop if $.secret = yes), thing(drop if kind = ""),
--   note(drop unless kind = Page)
select who as learner_id, since as occurred_at, 'viewed' as event_type, thing as activity_id, details as "attributes.d",
  note as "attributes.note"
from source`

test('a value is left out where another one says so', async () => {
  const staged = await folder.stage(
    'dropped.ndjson',
    ndjson(
      { who: 'w', object: { id: 'page', type: 'Page', note: 'shown' }, details: { id: 'shown' } },
      { who: 'w', object: { id: 'hidden-1', type: 'Person' }, secret: 'no', details: { id: 'shown' } },
      { who: 'w', object: { id: 'hidden-2', type: 'Odd, one' }, secret: 'yes', details: { id: 'hidden-3' } },
      { who: 'w', object: { id: 'hidden-4', note: 'hidden-5' } },
    ),
    DROPPED,
  )
  expect(
    await folder.rows(
      staged,
      `activity_id, attributes ->> '$.d.id' as inner_id, attributes ->> '$.note' as note`,
    ),
  ).toEqual([
    { activity_id: 'page', inner_id: 'shown', note: 'shown' },
    { activity_id: null, inner_id: 'shown', note: null },
    { activity_id: null, inner_id: null, note: null },
    { activity_id: null, inner_id: null, note: null },
  ])
  expect(await folder.everything(staged)).not.toContain('hidden')
})

test('of a table too: other columns, and conditions by column', async () => {
  const mapping = `-- entity: enrollment
-- columns: who = $.student | $.user, course, since, seat
-- personal: who(learner), seat(drop if course = SECRET)
select who as learner_id, course as course_id, since as enrolled_at, seat as mode from source`
  const staged = await folder.stage(
    'table.csv',
    'User,course,since,seat\nu1,A,2026-01-12,12\nu1,SECRET,2026-01-12,13\n',
    mapping,
  )
  expect(await folder.rows(staged, 'course_id, mode')).toEqual([
    { course_id: 'A', mode: '12' },
    { course_id: 'SECRET', mode: null },
  ])
})

test('where the column that would tell is missing, the value is left out', async () => {
  const mapping = `-- entity: enrollment
-- columns: who, course, since, seat, kind
-- personal: who(learner), seat(drop if kind = P)
select who as learner_id, course as course_id, since as enrolled_at, seat as mode from source`
  const staged = await folder.stage('untold.csv', 'who,course,since,seat\nu1,A,2026-01-12,12\n', mapping)
  expect(await folder.rows(staged, 'mode')).toEqual([{ mode: null }])
})
