/** Row rules whose names and values are like what the statements are made of. */

import { expect, test } from 'vitest'
import type { Policy, RowRule } from '../policy.ts'
import { allowedText, bothPolicies, fillAllowedRows } from './row-access.ts'
import { wantedOnSnowflake } from './wanted.ts'

const PLACE = { database: 'LPA', warehouse: 'WH', loads: { stage: 'meta.s', sequence: 'meta.n' } }

function policyOf(rowRules: readonly RowRule[]): Policy {
  const role = { comment: '', inherits: [], grants: [], mayReveal: false }
  return { ...{ tags: [], taggings: [], masks: [], users: [], rowRules }, roles: [{ ...role, name: 'r' }] }
}

const rule = (name: string, ...tables: readonly string[]): RowRule => ({
  ...{ name, roles: ['r'], exempt: [], attribute: name },
  on: tables.map((table) => ({ table, column: 'k' })),
})

test('rules of other names never share a policy', () => {
  const relations = ['core.a', 'core.b', 'core.c'].map((name) => ({
    ...{ name, kind: 'table' as const, columns: [{ name: 'k', type: 'text' }] },
  }))
  const rules = [rule('x', 'core.a'), rule('y', 'core.a', 'core.c'), rule('x_y', 'core.b')]
  const { objects } = wantedOnSnowflake(policyOf(rules), relations, PLACE)
  const policies = new Map(
    objects.flatMap(({ kind, name, definition }) =>
      kind === 'row access policy' ? [[name, definition]] : [],
    ),
  )
  const attributesOf = (table: string) => {
    const use = objects.find(({ kind, name }) => kind === 'rows of a table' && name === table)
    const [policy = ''] = use?.definition.split(' on ') ?? []
    return [...(policies.get(policy) ?? '').matchAll(/attribute = '(\w+)'/g)].map(
      ([, attribute]) => attribute,
    )
  }
  expect(attributesOf('core.a')).toEqual(['x', 'y'])
  expect(attributesOf('core.b')).toEqual(['x_y'])
  expect(attributesOf('core.c')).toEqual(['y'])
})

test('a name of many rules is one that Snowflake takes', () => {
  const relations = [{ name: 'core.a', kind: 'table' as const, columns: [{ name: 'k', type: 'text' }] }]
  const rules = Array.from({ length: 9 }, (_, index) => rule(`${'long_'.repeat(11)}${index}`, 'core.a'))
  const { objects } = wantedOnSnowflake(policyOf(rules), relations, PLACE)
  const [{ name = '' } = {}] = objects.filter(({ kind }) => kind === 'row access policy')
  expect(name.replace('policy.', '').length).toBeLessThan(256)
})

test('what a rule selects is asked for the user, whatever the user is called', () => {
  const select = allowedText("select k from core.t where v in ($values) and w <> '$values'")
  const [, insert = ''] = fillAllowedRows(
    [{ name: 'r', attribute: 'a$&b', allowed: select }],
    [{ user: "x$'$`$&", attribute: 'a$&b' }],
    true,
  )
  expect(insert).toContain(
    "v in (select value from policy.user_values where user_name = 'x$''$`$&' and attribute = 'a$&b') and w <> '$values'",
  )
})

test('rows of two policies are asked by the names of what they ask', () => {
  const body = (attribute: string) => `v1 in (select value from u where attribute = '${attribute}')`
  const { body: both } = bothPolicies(
    { arguments: ['v1 varchar'], body: body('a') },
    { arguments: ['v1 varchar'], body: body("it''s v1") },
  )
  expect(both).toBe(`(${body('a')}) and (v2 in (select value from u where attribute = 'it''s v1'))`)
})
