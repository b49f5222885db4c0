/** A role's views, run on the embedded engine: every mask on every type, row rules with any value, a policy that changes. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TryWarehouse } from '../../test/try-warehouse.ts'
import { readDeclared } from '../pipeline/declared.ts'
import { readAs } from '../pipeline/role.ts'
import { withWarehouse } from '../pipeline/warehouse.ts'
import type { Cell, Engine } from '../types.ts'
import { applyPolicy } from './access.test-support.ts'
import { readPolicyFiles } from './read.ts'

const declared = readDeclared('duckdb').tables
const signal = () => new AbortController().signal

let warehouse: TryWarehouse
beforeAll(async () => {
  warehouse = await TryWarehouse.create('[security]\nuser = "ann"\n')
  await withWarehouse(warehouse.config, 'write', signal(), (engine) =>
    engine.transaction(async () => {
      await engine.execute(`insert into core.dim_course (course_key, course_id, course_title, category_key, instructor_key, duration_hours, starts_on, valid_from, valid_to, is_current, attributes) values
        (1, 'a', 'Ünïcode', 10, 1, 12.50, '2026-02-28', '2026-02-28 23:59:59', '9999-12-31', true, '{"x": 1}'),
        (2, 'O''Brien', null, -7, 1, null, null, '0001-01-01', '9999-12-31', true, null),
        (3, '$values', 'x', -10, 1, -0.5, '0001-01-01', '1999-12-31', '9999-12-31', false, null)`)
      await engine.execute(`insert into core.fact_learning_event (event_id, learner_key, course_key, date_key, occurred_at, event_type, source, quantity, score) values
        ('e', 1, 1, 20260101, '2026-01-01', 'played', 'x', 1, 0.55), ('f', 1, 1, 20260101, '2026-01-01', 'played', 'x', -1.5, 'nan')`)
    }),
  )
})
afterAll(() => warehouse[Symbol.dispose]())

async function policy(text: string): Promise<void> {
  const files = [{ shown: 'policy.yaml', text }]
  await applyPolicy(warehouse, await readPolicyFiles({ files, declared, minCell: 10 }))
}

function as<T>(role: string, work: (engine: Engine) => Promise<T>): Promise<T> {
  const { config } = warehouse
  return withWarehouse(config, 'confined', signal(), work, readAs(config, role))
}

async function rows(role: string, sql: string): Promise<readonly (readonly Cell[])[]> {
  return as(role, async (engine) => {
    await engine.assertReadOnly(sql)
    return (await engine.query(sql)).rows
  })
}

describe('a mask', () => {
  const mask = (how: string, column: string) =>
    policy(`roles: { reader: { reads: { schemas: [core] } }, other: { reads: { schemas: [core] } } }
masks: { m: { ${how}, columns: [${column}], clear_for: [other] } }`)
  const shown = async (column: string, table = 'dim_course', key = 'course_key') =>
    (await rows('reader', `select ${column} from ${table} order by ${key}`)).map(([cell]) => cell)

  test.each([
    ['how: full', 'course_title', ['***', null, '***']],
    ['how: null', 'course_title', [null, null, null]],
    ['how: null', 'attributes', [null, null, null]],
    ['how: null', 'is_current', [null, null, null]],
    ['how: partial, keep: 2', 'course_title', ['Ün', null, 'x']],
    [
      'how: hash',
      'course_title',
      [
        '00b24be80c8dd6e9d76ed28922c27452555f9f803875c55583d04e2311b448ac',
        null,
        '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881',
      ],
    ],
    ['how: month', 'starts_on', ['2026-02-01', null, '0001-01-01']],
    ['how: month', 'valid_from', ['2026-02-01T00:00:00Z', '0001-01-01T00:00:00Z', '1999-12-01T00:00:00Z']],
    ['how: band, width: 5', 'duration_hours', ['10.00', null, '-5.00']],
    ['how: band, width: 10', 'category_key', [10, -10, -10]],
  ])('%s of %s', async (how, column, expected) => {
    await mask(how, `core.dim_course.${column}`)
    expect(await shown(column)).toEqual(expected)
    const clear = (await rows('other', `select ${column} from dim_course order by course_key`)).map(
      ([cell]) => cell,
    )
    expect(clear).not.toEqual(expected)
  })

  test('of doubles is a band too', async () => {
    await mask('how: band, width: 1', 'core.fact_learning_event.quantity')
    expect(await shown('quantity', 'fact_learning_event', 'event_id')).toEqual([1, -2])
  })

  test('holds in the views over its table', async () => {
    await mask('how: full', 'core.dim_course.course_title')
    expect(await rows('reader', 'select course_title from course order by 1')).toEqual([['***'], [null]])
  })
})

describe('a row rule', () => {
  const rule = (values: string, allowed = '') =>
    policy(`roles: { reader: { reads: { schemas: [core] } } }
row_rules: { r: { roles: [reader], attribute: own, ${allowed} on: [core.dim_course.course_id] } }
users: { ann: { roles: [reader], attributes: { own: [${values}] } } }`)
  const ids = async () =>
    (await rows('reader', 'select course_id from dim_course order by 1')).map(([id]) => id)

  test.each([
    ['"a"', ['a']],
    [`"O'Brien"`, ["O'Brien"]],
    ['"$values"', ['$values']],
    [`"a') or true --"`, []],
    [`"a'; drop table x; --"`, []],
    ['', []],
    ['a, "$values"', ['$values', 'a']],
  ])('takes %s for what it is', async (values, expected) => {
    await rule(values)
    expect(await ids()).toEqual(expected)
    await rule(values, 'allowed: "select course_id from core.dim_course where course_id in ($values)",')
    expect(await ids()).toEqual(expected)
  })

  test('of an attribute that no user has shows nothing, whatever it is called', async () => {
    for (const attribute of ['constructor', '__proto__', 'toString']) {
      await policy(`roles: { reader: { reads: { schemas: [core] } } }
row_rules: { r: { roles: [reader], attribute: ${attribute}, on: [core.dim_course.course_id] } }
users: { ann: { roles: [reader] } }`)
      expect(await ids()).toEqual([])
    }
  })

  test('of a user whom the policy does not name shows nothing', async () => {
    await policy(`roles: { reader: { reads: { schemas: [core] } } }
row_rules: { r: { roles: [reader], attribute: own, on: [core.dim_course.course_id] } }`)
    expect(await ids()).toEqual([])
  })

  test('beside another takes what both leave', async () => {
    await policy(`roles: { reader: { reads: { schemas: [core] } } }
row_rules:
  r: { roles: [reader], attribute: own, on: [core.dim_course.course_id] }
  s: { roles: [reader], attribute: key, on: [core.dim_course.course_key] }
users: { ann: { roles: [reader], attributes: { own: [a, $values], key: ["1", "2"] } } }`)
    expect(await ids()).toEqual(['a'])
  })
})

describe('a grant', () => {
  const GRANTED =
    'tags: { area: {} }\ntables: { core.dim_course: { tags: { area: teaching } }, core.dim_date: { columns: { term: { area: teaching } } } }'

  test('by a tag opens tables that have it, not those of which a column has', async () => {
    await policy(`${GRANTED}\nroles: { reader: { reads: { tags: { area: teaching } } } }`)
    expect(await rows('reader', 'select count(*) from dim_course')).toEqual([[3]])
    await expect(rows('reader', 'select count(*) from dim_date')).rejects.toThrow(
      'or the role reader may not read it',
    )
    await expect(rows('reader', 'select count(*) from course')).rejects.toThrow(
      'or the role reader may not read it',
    )
  })

  test('of a view opens it without its tables', async () => {
    await policy('roles: { reader: { reads: { tables: [core.course] } } }')
    expect(await rows('reader', 'select count(*) from course')).toEqual([[2]])
    await expect(rows('reader', 'select count(*) from dim_course')).rejects.toThrow(
      'or the role reader may not read it',
    )
  })

  test('is had from roles that are inherited from, their threshold is not', async () => {
    await policy(
      'roles: { base: { reads: { tables: [core.course] }, min_cell: 5 }, reader: { inherits: [base] } }',
    )
    expect(await as('reader', async ({ role }) => [role?.tables, role?.minCell])).toEqual([
      ['core.course'],
      undefined,
    ])
    expect(await as('base', async ({ role }) => role?.minCell)).toBe(5)
  })
})

test.each([
  '',
  'reads: { tables: [core.course] }, min_cell: 10',
  'reads: { tables: [core.course] }, min_cell: 5, may_reveal: true',
])('a policy that changes ends what reads by the old one: { %s }', async (changed) => {
  await policy('roles: { reader: { reads: { tables: [core.course] }, min_cell: 5 } }')
  await as('reader', async (engine) => {
    const before = await engine.version()
    expect(await engine.version()).toBe(before)
    await policy(`roles: { reader: { ${changed} } }`)
    await expect(engine.version()).rejects.toThrow('The policy was changed meanwhile.')
  })
})

test('a commit that leaves the policy as it is does not', async () => {
  await policy('roles: { reader: { reads: { tables: [core.course] } } }')
  await as('reader', async (engine) => {
    const before = await engine.version()
    await withWarehouse(warehouse.config, 'write', signal(), (other) =>
      other.transaction(() =>
        other.execute("update core.dim_course set course_title = 'new' where course_key = 1"),
      ),
    )
    expect(await engine.version()).not.toBe(before)
    expect((await engine.query("select course_title from course where course_id = 'a'")).rows).toEqual([
      ['new'],
    ])
  })
})
