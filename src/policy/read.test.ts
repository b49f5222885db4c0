/** A policy's files: what is read, and every mistake with its place. */

import { describe, expect, test } from 'vitest'
import { UserError } from '../errors.ts'
import { readDeclared } from '../pipeline/declared.ts'
import { readyMadePolicy } from './access.test-support.ts'
import { policyOf, wantedObjects } from './objects.ts'
import type { Policy } from './policy.ts'
import { readPolicyFiles } from './read.ts'

const declared = readDeclared('duckdb').tables

function read(...texts: readonly string[]): Promise<Policy> {
  const files = texts.map((text, index) => ({ shown: `security/${'abc'[index]}.yaml`, text }))
  return readPolicyFiles({ files, declared, minCell: 10 })
}

/** The mistakes as they are told: `a.yaml:2:3: what. hint`. */
async function mistakes(...texts: readonly string[]): Promise<readonly string[]> {
  try {
    await read(...texts)
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== 'LPA-POLICY-INVALID') throw error
    const one = `${error.where}: ${[error.message, ...error.next].join(' ')}`
    return (error.where === undefined ? error.next : [one]).map((line) => line.replace(/^security\//, ''))
  }
  return []
}

describe('the policy that lpa comes with', () => {
  test('has the five roles, and no user', async () => {
    const policy = await readyMadePolicy('users: {}')
    expect(policy.roles.map(({ name }) => name)).toEqual([
      ...['lpa_admin', 'lpa_analyst', 'lpa_dashboard', 'lpa_engineer', 'lpa_instructor'],
    ])
    expect(policy.users).toEqual([])
    expect(policy.roles.filter(({ minCell }) => minCell).map(({ name }) => name)).toEqual(['lpa_dashboard'])
  })

  test('tags every table', async () => {
    const { taggings } = await readyMadePolicy()
    const tagged = new Set(taggings.filter(({ column }) => !column).map(({ table }) => table))
    const tables = declared.filter(({ kind }) => kind === 'table').map(({ name }) => name)
    expect(tables.filter((name) => !tagged.has(name))).toEqual([])
  })

  test('is the same after it was kept', async () => {
    const policy = await readyMadePolicy()
    const kept = wantedObjects(policy)
    expect(policyOf(kept.toReversed())).toEqual(policy)
    expect(new Set(kept.map(({ kind, name }) => `${kind} ${name}`)).size).toBe(kept.length)
  })
})

test('files are one policy, whichever holds what', async () => {
  const policy = await read(
    'roles: { reader: { inherits: base, reads: { schemas: core } } }',
    'roles: { base: { reads: { schemas: staging, future: false }, writes: [raw], min_cell: true } }',
    '# nothing yet\n',
  )
  expect(policy.roles).toEqual([
    {
      ...{ name: 'base', comment: '', inherits: [], mayReveal: false, minCell: 10 },
      grants: [
        { kind: 'schema', schema: 'staging', future: false },
        { kind: 'write', schema: 'raw', future: true },
      ],
    },
    {
      ...{ name: 'reader', comment: '', inherits: ['base'], mayReveal: false },
      grants: [{ kind: 'schema', schema: 'core', future: true }],
    },
  ])
})

test('the SELECT of a rule is one line, without its comments', async () => {
  const { rowRules } = await read(`roles: { r: {} }
row_rules:
  a:
    roles: [r]
    attribute: x
    allowed: |
      select course_key -- the key
      from core.dim_course /* all
        of them */
      where course_key in ($values) and course_title <> '-- a  b'
    on: [core.dim_course.course_key]`)
  expect(rowRules[0]?.allowed).toBe(
    "select course_key from core.dim_course where course_key in ($values) and course_title <> '-- a  b'",
  )
})

test('a mask is full, null, hash, partial, month or band', async () => {
  const policy = await read(`masks:
  a: { how: full, columns: [core.dim_learner.country] }
  b: { how: null, columns: [core.dim_learner.attributes] }
  c: { how: hash, columns: [core.dim_learner.learner_id] }
  d: { how: partial, keep: 3, columns: [core.dim_learner.region] }
  e: { how: month, columns: [core.dim_learner.signed_up_on, core.fact_enrollment.enrolled_at] }
  f: { how: band, width: 10, columns: [core.fact_enrollment.price_amount, core.fact_enrollment.attempt] }`)
  expect(policy.masks.map(({ masking }) => masking)).toEqual([
    { how: 'full' },
    { how: 'null' },
    { how: 'hash' },
    { how: 'partial', keep: 3 },
    { how: 'month' },
    { how: 'band', width: 10 },
  ])
})

const TAG = 'tags: { kind: { values: [a, b] } }'
const MISTAKES: Readonly<Record<string, readonly [readonly string[], readonly string[]]>> = {
  'no YAML': [['roles: ['], ['a.yaml:1:9: Flow sequence']],
  'a part that is not known': [['rolls: {}'], ['a.yaml:1:1: rolls is not known here. Did you mean roles?']],
  'a key that is not known': [
    ['roles:\n  a: { inherit: b }'],
    ['a.yaml:2:8: inherit is not known here. Did you mean inherits?'],
  ],
  'a role that is not there': [
    ['roles:\n  reader: {}\n  b: { inherits: [readr] }'],
    ['a.yaml:3:19: There is no role readr. Did you mean reader?'],
  ],
  'a role said twice': [
    ['roles: { a: {} }', 'roles: { a: {} }'],
    ['b.yaml:1:10: a is said twice: first at security/a.yaml:1:10.'],
  ],
  'roles in a circle': [
    ['roles:\n  a: { inherits: [b] }\n  b: { inherits: [c] }\n  c: { inherits: [a] }'],
    ['a.yaml:2:3: Roles inherit in a circle: a → b → c → a.'],
  ],
  'a name that no engine takes': [['roles: { "a b": {} }'], ['a.yaml:1:10: a b is no name: letters']],
  'a schema that is not there': [
    ['roles:\n  a: { reads: { schemas: [stagin] } }'],
    ['a.yaml:2:27: There is no schema stagin. Did you mean staging?'],
  ],
  'a table that is not there': [
    ['roles:\n  a: { reads: { tables: [core.fact_enrolment] } }'],
    ['a.yaml:2:26: core.fact_enrolment is no table of the warehouse. Did you mean core.fact_enrollment?'],
  ],
  'a column that is not there': [
    ['masks:\n  a: { how: full, columns: [core.dim_learner.contry] }'],
    ['a.yaml:2:29: core.dim_learner has no column contry. Did you mean country?'],
  ],
  'a column of a view': [
    ['masks:\n  a: { how: full, columns: [core.learner.country] }'],
    ['a.yaml:2:29: core.learner is a view: it takes over what its tables have. Name the table.'],
  ],
  'a tag that is not there': [
    [TAG, 'tables:\n  core.dim_date: { tags: { knd: a } }'],
    ['b.yaml:2:28: There is no tag knd. Did you mean kind?'],
  ],
  'a tag that is lpa’s own on Snowflake': [
    ['tags: { kind_of_table: {} }'],
    ['a.yaml:1:9: kind_of_table is what lpa calls a tag of tables on Snowflake.'],
  ],
  'a value that a tag does not have': [
    [TAG, 'tables:\n  core.dim_date: { tags: { kind: c } }'],
    ['b.yaml:2:34: c is no value of the tag kind. Did you mean a?'],
  ],
  'a mask that does not fit': [
    ['masks:\n  a: { how: hash, columns: [core.dim_learner.signed_up_on] }'],
    ['a.yaml:2:29: core.dim_learner.signed_up_on is date: the mask a (hash) does not fit.'],
  ],
  'a mask that does not fit what its tag is on': [
    [
      TAG,
      'tables:\n  core.dim_learner: { columns: { attributes: { kind: a } } }\nmasks:\n  m: { how: full, tagged: { kind: a } }',
    ],
    ['b.yaml:4:3: core.dim_learner.attributes is variant: the mask m (full) of its tag does not fit.'],
  ],
  'two masks for a column': [
    [
      'masks:\n  a: { how: full, columns: [core.dim_learner.country] }\n  b: { how: hash, columns: [core.dim_learner.country] }',
    ],
    ['a.yaml:3:3: core.dim_learner.country has two masks: a and b.'],
  ],
  'two masks by tags': [
    [
      TAG,
      'tables:\n  core.dim_learner: { columns: { country: { kind: a } } }\nmasks:\n  m: { how: full, tagged: { kind: a } }\n  n: { how: null, tagged: { kind: a } }',
    ],
    ['b.yaml:5:3: core.dim_learner.country has two masks: m and n.'],
  ],
  'a mask of nothing': [['masks:\n  a: { how: full }'], ['a.yaml:2:3: The mask a covers nothing.']],
  'a way to mask that is not there': [
    ['masks:\n  a: { how: ful, columns: [core.dim_learner.country] }'],
    ['a.yaml:2:13: ful is no way to mask. Did you mean full?'],
  ],
  'a partial mask without a length': [
    ['masks:\n  a: { how: partial, columns: [core.dim_learner.country] }'],
    ['a.yaml:2:13: It does not say how many characters are kept. Write keep: 4'],
  ],
  'a threshold of one': [
    ['roles:\n  a: { min_cell: 1 }'],
    ['a.yaml:2:18: Here should be a whole number, 2 or more.'],
  ],
  'a rule without the values': [
    [
      'roles: { r: {} }\nrow_rules:\n  a: { roles: [r], attribute: x, allowed: select 1, on: [core.dim_course.course_key] }',
    ],
    ["a.yaml:3:43: The SELECT does not ask for the user's values. Write: where … in ($values)"],
  ],
  'a rule with two statements': [
    [
      'roles: { r: {} }\nrow_rules:\n  a: { roles: [r], attribute: x, allowed: "select $values; drop table x", on: [core.dim_course.course_key] }',
    ],
    ['a.yaml:3:43: Here should be one SELECT, without a semicolon.'],
  ],
  'a rule over a table that is not there': [
    [
      'roles: { r: {} }\nrow_rules:\n  a: { roles: [r], attribute: x, allowed: "select course_key from core.dim_curse where k in ($values)", on: [core.dim_course.course_key] }',
    ],
    ['a.yaml:3:43: core.dim_curse is no table of the warehouse. Did you mean core.dim_course?'],
  ],
  'a rule that reads a file': [
    [
      `roles: { r: {} }\nrow_rules:\n  a: { roles: [r], attribute: x, allowed: "select course_key from core.dim_course, 'x.csv' where k in ($values)", on: [core.dim_course.course_key] }`,
    ],
    ["a.yaml:3:43: 'x.csv' is no table: tables are named like core.dim_course."],
  ],
  'a rule that calls what reads files': [
    [
      `roles: { r: {} }\nrow_rules:\n  a: { roles: [r], attribute: x, allowed: "select c from Read_Text('x') where c in ($values)", on: [core.dim_course.course_id] }`,
    ],
    ['a.yaml:3:43: Read_Text() is not among the functions that compute from their arguments.'],
  ],
  'a rule over a column that is not there': [
    [
      'roles: { r: {} }\nrow_rules:\n  a: { roles: [r], attribute: x, allowed: "select course_key from core.dim_course where contry in ($values)", on: [core.dim_course.course_key] }',
    ],
    ['a.yaml:3:43: The SELECT of a fails: Referenced column "contry" not found'],
  ],
  'a rule that selects another type than it filters': [
    [
      'roles: { r: {} }\nrow_rules:\n  a: { roles: [r], attribute: x, allowed: "select course_id from core.dim_course where course_id in ($values)", on: [core.dim_course.course_key] }',
    ],
    ['a.yaml:3:43: The SELECT of a fails: Cannot compare values of type BIGINT and VARCHAR'],
  ],
  'a table filtered twice by a rule': [
    [
      'roles: { r: {} }\nrow_rules:\n  a: { roles: [r], attribute: x, on: [core.dim_course.course_key, core.dim_course.category_key] }',
    ],
    ['a.yaml:3:67: The rule a filters core.dim_course twice.'],
  ],
  'an attribute that no rule asks': [
    [
      'users:\n  u: { attributes: { regoin: Norte } }',
      'roles: { r: {} }\nrow_rules: { a: { roles: [r], attribute: region, on: [core.dim_learner.region] } }',
    ],
    ['a.yaml:2:22: No row rule asks regoin of users. Did you mean region?'],
  ],
  'names of two lines': [
    ['users:\n  "a\\nb": { attributes: { "x\\ny": z, "": z } }'],
    [
      'a.yaml:2:3: A name is one line of 1 to 255 characters.',
      'a.yaml:2:27: A name is one line of 1 to 255 characters.',
      'a.yaml:2:38: A name is one line of 1 to 255 characters.',
    ],
  ],
  'a control character in a value': [
    [
      'users:\n  u: { attributes: { x: "a\\0b" } }',
      'roles: { r: {} }\nrow_rules: { a: { roles: [r], attribute: x, on: [core.dim_course.course_id] } }',
    ],
    ['a.yaml:2:25: Control characters are no text.'],
  ],
}

test.each(Object.entries(MISTAKES))('%s is a mistake', async (_, [texts, expected]) => {
  const told = await mistakes(...texts)
  expect(told.length).toBe(expected.length)
  for (const [index, text] of expected.entries()) expect(told[index]).toContain(text)
})

test('several mistakes are told at once, in the order of their places', async () => {
  const told = await mistakes(
    'roles:\n  a: { inherits: [x] }\nmasks:\n  m: { how: full, columns: [core.dim_learner.contry] }\n',
    'users:\n  u: { roles: [b] }\n',
  )
  expect(told.map((line) => line.slice(0, 'a.yaml:1'.length))).toEqual(['a.yaml:2', 'a.yaml:4', 'b.yaml:2'])
})
