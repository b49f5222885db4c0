import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Mapping, packagedMappings, readMapping } from './mapping.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-mappings-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function read(text: string, name = 'mine.sql'): Mapping {
  writeFileSync(join(folder, name), text)
  return readMapping(join(folder, name))
}

const body = '\nselect a as learner_id from source'

test('a mapping of few words', () => {
  expect(read(`-- entity: learner${body}`)).toMatchObject({
    name: 'mine',
    entity: 'learner',
    columns: undefined,
    personal: [],
    export: 'append',
    nulls: [],
    keep: [],
    hasHeader: true,
    sql: 'select a as learner_id from source',
  })
})

test('a column may say its type, also when it is text', () => {
  expect(read(`-- entity: learner\n-- columns: zeit = $.zeit text, x text, n number${body}`).columns).toEqual(
    [
      { name: 'zeit', path: ['zeit'], type: 'text' },
      { name: 'x', path: ['x'], type: 'text' },
      { name: 'n', path: ['n'], type: 'number' },
    ],
  )
})

test('a coarser value may be what a pattern finds', () => {
  const { generalise } = read(
    `-- entity: learner\n-- generalise: born(year), page("^/a/([^/),]+|b\\d)")${body}`,
  )
  expect(generalise).toEqual([
    { target: 'born', to: 'year' },
    { target: 'page', to: { pattern: '^/a/([^/),]+|b\\d)' } },
  ])
})

test('a mapping that says everything', () => {
  const mapping = read(`-- title: Everything
-- entity: enrollment
-- recognise: id, $.actor.name
-- columns: id, "odd, name", score = $.result.score number, parts = $.parts json
-- columns: more = $."https://x.org/a b"
-- personal: $.actor.name(learner @ $.actor.home), mail(email),
--   ids(learner[]), "Last name (all)"(name), ip(ip)
-- not-personal: more
-- generalise: born(year), $.post.code(2)
-- export: delta
-- nulls: NA, -, "a, b", ?
-- keep: $.context.extensions.*, $.parent[0].id
-- header: none
--
-- What it is for: personal: mail2(email)
select id as event_id, payload ->> '$.a.b' as x, json_extract_string(payload, '$.c') as y from source;
`)
  expect(mapping.recognise).toEqual([['id', '$.actor.name']])
  expect(mapping.columns).toEqual([
    { name: 'id', path: ['id'], type: 'text' },
    { name: 'odd, name', path: ['odd, name'], type: 'text' },
    { name: 'score', path: ['result', 'score'], type: 'number' },
    { name: 'parts', path: ['parts'], type: 'json' },
    { name: 'more', path: ['https://x.org/a b'], type: 'text' },
  ])
  expect(mapping.personal).toEqual([
    { target: '$.actor.name', kind: 'learner', list: false, spaceFrom: '$.actor.home' },
    { target: 'mail', kind: 'email', list: false, spaceFrom: undefined },
    { target: 'ids', kind: 'learner', list: true, spaceFrom: undefined },
    { target: 'Last name (all)', kind: undefined, list: false, spaceFrom: undefined },
    { target: 'ip', kind: undefined, list: false, spaceFrom: undefined },
  ])
  expect([...mapping.notPersonal]).toEqual(['more'])
  expect(mapping.generalise).toEqual([
    { target: 'born', to: 'year' },
    { target: '$.post.code', to: 2 },
  ])
  expect(mapping.nulls).toEqual(['NA', '-', 'a, b', '?'])
  expect(mapping.keep).toEqual([['context', 'extensions'], ['parent'], ['a', 'b'], ['c']])
  expect(mapping).toMatchObject({ export: 'delta', hasHeader: false })
})

test('is known by its file name and changes with its text', () => {
  const first = read(`-- entity: learner${body}`, 'same.sql')
  expect(read(`-- entity: learner${body}`, 'same.sql').sha256).toBe(first.sha256)
  expect(read(`-- entity: learner\n-- nulls: x${body}`, 'same.sql').sha256).not.toBe(first.sha256)
  expect(read(`-- entity: learner${body} where true`, 'same.sql').sha256).not.toBe(first.sha256)
})

describe('what is wrong is said, with what to write', () => {
  test.each([
    ['no entity', `-- title: x${body}`, 'It does not say what it makes.', '-- entity: one of learner'],
    [
      'an unknown entity',
      `-- entity: enrolment${body}`,
      'There is no entity "enrolment". Did you mean enrollment?',
      'There are: learner, course,',
    ],
    [
      'an unknown header',
      `-- entity: learner\n-- persnal: a(learner)${body}`,
      'There is no header "-- persnal:". Did you mean personal?',
      'Headers: title',
    ],
    ['no SELECT', '-- entity: learner', 'It has no SELECT.', 'select … from source'],
    [
      'a delta of events',
      `-- entity: learning_event\n-- export: delta${body}`,
      'Events are taken back, never changed: a delta of them is none.',
      'Write -- export: append.',
    ],
    [
      'an unknown export',
      `-- entity: learner\n-- export: full${body}`,
      '"-- export: full" is unknown.',
      'append, snapshot or delta',
    ],
    [
      'an unknown class',
      `-- entity: learner\n-- personal: a(leaner)${body}`,
      '"-- personal: a(leaner)": there is no class "leaner". Did you mean learner?',
      'Hashed: learner, instructor, email.',
    ],
    [
      'a personal column without a class',
      `-- entity: learner\n-- personal: a${body}`,
      '"-- personal: a" is not readable.',
      'student_no(learner)',
    ],
    [
      'a personal path into a list',
      `-- entity: learner\n-- personal: $.people[0].mail(email)${body}`,
      '"$.people[0].mail" is no path to one value.',
      '$.people(drop)',
    ],
    [
      'a personal path that is none',
      `-- entity: learner\n-- personal: $..a(email)${body}`,
      '"$..a" is no path to one value.',
      '$.actor.name',
    ],
    [
      'a coarse value without how',
      `-- entity: learner\n-- generalise: born(decade)${body}`,
      '"-- generalise: born(decade)" is not readable.',
      'column(year)',
    ],
    [
      'a column that cannot be read',
      `-- entity: learner\n-- columns: a b c${body}`,
      '"-- columns: a b c" is not readable.',
      'name = $.path',
    ],
    [
      'several places of JSON',
      `-- entity: learner\n-- columns: a = $.b | $.c json${body}`,
      '"-- columns: a = $.b | $.c json" has several places of JSON.',
      'a column for each',
    ],
    [
      'a condition without a value',
      `-- entity: learner\n-- personal: a(drop if b)${body}`,
      '"-- personal: a(drop if b)" is not readable.',
      'column(class)',
    ],
    [
      'a column of a path that is none',
      `-- entity: learner\n-- columns: a = $.${body}`,
      '"$." is no JSON path.',
      '$.context.course',
    ],
    [
      'the whole record kept',
      `-- entity: learner\n-- keep: $.*${body}`,
      '"$.*" is no JSON path.',
      '$.context.course',
    ],
    [
      'a header line that is neither there nor not',
      `-- entity: learner\n-- header: 2${body}`,
      '"-- header: 2" is unknown.',
      '-- header: none',
    ],
    [
      'a key of the payload',
      `-- entity: learner\nselect payload ->> 'a' as learner_id from source`,
      'It reads a key of payload without a path.',
      "payload ->> '$.a.b'",
    ],
    [
      'a dot on the payload',
      `-- entity: learner\nselect payload.a as learner_id from source`,
      'It reads a key of payload without a path.',
      "payload ->> '$.a.b'",
    ],
  ])('%s', (_, text, message, next) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({
        code: 'LPA-MAPPING-HEADER',
        exit: 'config',
        message,
        where: join(folder, 'mine.sql'),
        next: [expect.stringContaining(next)],
      }),
    )
  })

  test('a file that is not there', () => {
    expect(() => readMapping(join(folder, 'none.sql'))).toThrow(
      expect.objectContaining({ code: 'LPA-MAPPING-MISSING', exit: 'noInput' }),
    )
  })

  test('a packaged mapping that is not there', () => {
    expect(() => readMapping('campus_enrolment')).toThrow(
      expect.objectContaining({
        exit: 'usage',
        next: expect.arrayContaining(['Did you mean campus_enrollment?']),
      }),
    )
  })
})

test('every packaged mapping can be read and recognises something', () => {
  const mappings = packagedMappings()
  expect(mappings.map(({ name }) => name)).toContain('xapi')
  for (const { recognise, columns } of mappings) {
    expect(recognise.length).toBeGreaterThan(0)
    for (const keys of recognise) expect(keys.length).toBeGreaterThan(1)
    expect(columns?.length).toBeGreaterThan(1)
  }
})

test('an export of several kinds is the first until a file tells', () => {
  const by = 'by manifest.csv file.users (bulk = snapshot, delta = delta)'
  const mapping = read(`-- entity: learner\n-- export: ${by}${body}`)
  expect(mapping).toMatchObject({
    export: 'snapshot',
    exportBy: { file: 'manifest.csv', name: 'file.users' },
  })
  expect([...(mapping.exportBy?.kinds ?? [])]).toEqual([
    ['bulk', 'snapshot'],
    ['delta', 'delta'],
  ])
  expect(() => read(`-- entity: learner\n-- export: ${by.replace('= delta', '= changes')}${body}`)).toThrow(
    expect.objectContaining({ code: 'LPA-MAPPING-HEADER' }),
  )
})

test('several lists may tell an input', () => {
  const { recognise } = read(`-- entity: learner\n-- recognise: a, b |\n--   c, d${body}`)
  expect(recognise).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ])
})
