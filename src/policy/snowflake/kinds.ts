/** The kinds of Snowflake's objects that a policy is made of: the statements of each, and when they run. */

import { createHash } from 'node:crypto'
import type { PolicyObject } from '../policy.ts'
import { strictBody } from './masking.ts'
import {
  ALLOWED_ROWS,
  BUILDERS,
  comment,
  GIVEN_ROLES,
  POLICY_SCHEMA,
  partsOf,
  REVEALERS,
  ROW_RULES,
  text,
  USER_VALUES,
} from './names.ts'
import { bothPolicies, strictRows } from './row-access.ts'
import type { MaskingDefinition, RowAccessDefinition, TagDefinition } from './wanted.ts'

/** In this order. */
export const PHASES = [
  // Makes what nobody uses yet.
  'prepare',
  'take',
  // Rows: only those of before and after.
  'narrow',
  'filter',
  // Masks: first what shows only what both show, then where they are, then as they are to be.
  'strict',
  'attach',
  'swap',
  'detach',
  'settle',
  // Rows: those of after.
  'widen',
  'give',
  'tidy',
] as const

export type Phase = (typeof PHASES)[number]

interface Kind {
  /** When it is made, and when it is removed. */
  readonly phases: readonly [Phase, Phase]
  readonly add: (wanted: PolicyObject) => string
  readonly remove: (live: PolicyObject) => string | readonly string[]
  readonly change?: (
    wanted: PolicyObject,
    live: PolicyObject,
    around: Around,
  ) => readonly (readonly [Phase, string])[]
}

/** What else changes, and what there is. */
export interface Around {
  /** What a column is masked by changes. */
  readonly masksMove: boolean
  /** That, or how a policy masks. */
  readonly masksChange: boolean
  /** What a table is filtered by changes. */
  readonly rowsMove: boolean
  readonly bodyOf: (objects: 'wanted' | 'live', policy: string) => RowAccessDefinition | undefined
}

const parse = <T>({ definition }: PolicyObject) => JSON.parse(definition) as T

const GRANT: Kind = {
  phases: ['give', 'take'],
  add: ({ name }) => `grant ${name}`,
  remove: ({ name }) => `revoke ${name.replace(/ to (role|user) (\S+|".*")$/, ' from $1 $2')}`,
}

/** In the order in which they are made. */
export const KINDS: Readonly<Record<string, Kind>> = {
  schema: {
    phases: ['prepare', 'tidy'],
    add: ({ name }) => `create schema if not exists ${name}`,
    remove: ({ name }) => `drop schema ${name} restrict`,
  },
  table: {
    phases: ['prepare', 'tidy'],
    add: ({ name }) => `create table if not exists ${name} (${COLUMNS[name]})`,
    remove: ({ name }) => `drop table ${name}`,
  },
  role: {
    phases: ['prepare', 'take'],
    add: ({ name, definition }) => `create role if not exists ${name} comment = ${text(comment(definition))}`,
    remove: ({ name }) => `drop role if exists ${name}`,
    change: ({ name, definition }) => [
      ['prepare', `alter role ${name} set comment = ${text(comment(definition))}`],
    ],
  },
  tag: {
    phases: ['prepare', 'tidy'],
    add: (wanted) => {
      const { values, comment: said } = parse<TagDefinition>(wanted)
      const allowed = values.length > 0 ? ` allowed_values ${values.map(text).join(', ')}` : ''
      return `create tag if not exists ${wanted.name}${allowed} comment = ${text(comment(said))}`
    },
    remove: ({ name }) => `drop tag if exists ${name}`,
    change: changeTag,
  },
  'masking policy': {
    phases: ['prepare', 'tidy'],
    add: (wanted) => {
      const { type, body } = parse<MaskingDefinition>(wanted)
      return `create masking policy if not exists ${wanted.name} as (val ${type}) returns ${type} -> ${body} comment = ${text(MADE)} exempt_other_policies = true`
    },
    remove: ({ name }) => `drop masking policy if exists ${name}`,
    change: (wanted, live, { masksMove }) => {
      const { body } = parse<MaskingDefinition>(wanted)
      const set = `alter masking policy ${wanted.name} set body ->`
      const strict = `${set} ${strictBody(parse<MaskingDefinition>(live).body, body)}`
      return [...(masksMove ? [['strict', strict] as const] : []), ['settle', `${set} ${body}`]]
    },
  },
  'row access policy': {
    phases: ['prepare', 'tidy'],
    add: (wanted) => {
      const { arguments: taken, body } = parse<RowAccessDefinition>(wanted)
      return `create row access policy if not exists ${wanted.name} as (${taken.join(', ')}) returns boolean -> ${body} comment = ${text(MADE)}`
    },
    remove: ({ name }) => `drop row access policy if exists ${name}`,
    change: (wanted, live, { masksChange, rowsMove }) => {
      const { body } = parse<RowAccessDefinition>(wanted)
      const set = `alter row access policy ${wanted.name} set body ->`
      const strict = `${set} ${strictRows(parse<RowAccessDefinition>(live).body, body)}`
      return [...(masksChange || rowsMove ? [['narrow', strict] as const] : []), ['widen', `${set} ${body}`]]
    },
  },
  'mask of a tag': {
    phases: ['attach', 'detach'],
    add: ({ name }) => name.replace(/^(\S+) (\S+)$/, 'alter tag $1 set masking policy $2'),
    remove: ({ name }) => name.replace(/^(\S+) (\S+)$/, 'alter tag $1 unset masking policy $2'),
  },
  'mask of a column': {
    phases: ['attach', 'detach'],
    add: (wanted) => `${alterColumn(wanted)} set masking policy ${wanted.definition}`,
    remove: (live) => `${alterColumn(live)} unset masking policy`,
    change: (wanted) => [['swap', `${alterColumn(wanted)} set masking policy ${wanted.definition} force`]],
  },
  'rows of a table': {
    phases: ['filter', 'widen'],
    add: ({ name, definition }) => `alter table ${name} add row access policy ${definition}`,
    remove: ({ name, definition }) => `alter table ${name} drop row access policy ${policyOn(definition)}`,
    change: changeRows,
  },
  'tag of a table': tagOf('table'),
  'tag of a view': tagOf('view'),
  'tag of a column': {
    phases: ['attach', 'detach'],
    add: (wanted) => `${alterColumn(wanted)} set tag ${tagIn(wanted)} = ${text(wanted.definition)}`,
    remove: (live) => `${alterColumn(live)} unset tag ${tagIn(live)}`,
    change: (wanted) => [
      ['swap', `${alterColumn(wanted)} set tag ${tagIn(wanted)} = ${text(wanted.definition)}`],
    ],
  },
  grant: GRANT,
  'future grant': GRANT,
  'role in role': GRANT,
  'value of a user': {
    phases: ['give', 'take'],
    add: ({ name }) => `insert into ${USER_VALUES} values (${rowOf(name).map(text).join(', ')})`,
    remove: ({ name }) => [
      `delete from ${ALLOWED_ROWS} where user_name = ${text(rowOf(name)[0] ?? '')}`,
      `delete from ${USER_VALUES} where ${conditions(['user_name', 'attribute', 'value'], name)}`,
    ],
  },
  'row rule': {
    phases: ['give', 'take'],
    add: ({ name }) => `insert into ${ROW_RULES} values (${rowOf(name).map(text).join(', ')})`,
    remove: ({ name }) => [
      `delete from ${ALLOWED_ROWS} where rule_name = ${text(rowOf(name)[0] ?? '')}`,
      `delete from ${ROW_RULES} where ${conditions(['rule_name', 'attribute', 'allowed'], name)}`,
    ],
  },
  builder: {
    phases: ['give', 'take'],
    add: ({ name }) => `insert into ${BUILDERS} values (${rowOf(name).map(text).join(', ')})`,
    remove: ({ name }) => `delete from ${BUILDERS} where ${conditions(['role_name'], name)}`,
  },
  revealer: {
    phases: ['give', 'take'],
    add: ({ name }) => `insert into ${REVEALERS} values (${rowOf(name).map(text).join(', ')})`,
    remove: ({ name }) => `delete from ${REVEALERS} where ${conditions(['role_name'], name)}`,
  },
  'given role': {
    phases: ['give', 'take'],
    add: ({ name }) => `insert into ${GIVEN_ROLES} values (${rowOf(name).map(text).join(', ')})`,
    remove: ({ name }) => `delete from ${GIVEN_ROLES} where ${conditions(['user_name', 'role_name'], name)}`,
  },
  'role of a user': GRANT,
}

const MADE = comment('made by lpa grant apply of security/')

const COLUMNS: Readonly<Record<string, string>> = {
  [USER_VALUES]: 'user_name varchar not null, attribute varchar not null, value varchar not null',
  [BUILDERS]: 'role_name varchar not null',
  [REVEALERS]: 'role_name varchar not null',
  [ROW_RULES]: 'rule_name varchar not null, attribute varchar not null, allowed varchar not null',
  [ALLOWED_ROWS]: 'rule_name varchar not null, user_name varchar not null, value varchar not null',
  [GIVEN_ROLES]: 'user_name varchar not null, role_name varchar not null',
}

function changeTag(wanted: PolicyObject, live: PolicyObject): (readonly [Phase, string])[] {
  const alter = `alter tag ${wanted.name}`
  const { values, comment: said } = parse<TagDefinition>(wanted)
  const before = parse<TagDefinition>(live)
  const set = [['prepare', `${alter} set comment = ${text(comment(said))}`]] as const
  const comments = live.managed && before.comment === said ? [] : set
  if (values.length === 0 && before.values.length > 0)
    return [...comments, ['prepare', `${alter} unset allowed_values`]]
  const [added, dropped] = [without(values, before.values), without(before.values, values)]
  return [
    ...comments,
    ...(added.length > 0 ? [['prepare', `${alter} add allowed_values ${added}`] as const] : []),
    ...(dropped.length > 0 ? [['tidy', `${alter} drop allowed_values ${dropped}`] as const] : []),
  ]
}

/** From one policy of a table to another: where masks change too, by one that shows what both do. */
function changeRows(
  { name, definition }: PolicyObject,
  live: PolicyObject,
  { masksChange, bodyOf }: Around,
): (readonly [Phase, string])[] {
  const from = policyOn(live.definition)
  const swap = (before: string, after: string) =>
    `alter table ${name} drop row access policy ${before}, add row access policy ${after}`
  const [before, after] = [bodyOf('live', from), bodyOf('wanted', policyOn(definition))]
  // One of others says nothing of itself.
  if (!masksChange || !before || !after) return [['widen', swap(from, definition)]]
  const between = bothPolicies(before, after)
  const policy = `${POLICY_SCHEMA}.between_${createHash('sha256').update(`${name} ${between.body}`).digest('hex').slice(0, 16)}`
  const on = [live.definition, definition].map((one) => one.replace(/^.* on \((.*)\)$/, '$1')).join(', ')
  return [
    [
      'prepare',
      `create row access policy if not exists ${policy} as (${between.arguments.join(', ')}) returns boolean -> ${between.body} comment = ${text(MADE)}`,
    ],
    ['filter', swap(from, `${policy} on (${on})`)],
    ['widen', swap(policy, definition)],
    ['tidy', `drop row access policy if exists ${policy}`],
  ]
}

function without(values: readonly string[], others: readonly string[]): string {
  return values
    .filter((value) => !others.includes(value))
    .map(text)
    .join(', ')
}

function tagOf(relation: 'table' | 'view'): Kind {
  const set = (wanted: PolicyObject) =>
    wanted.name.replace(/^(\S+) (\S+)$/, `alter ${relation} $1 set tag $2 = `) + text(wanted.definition)
  return {
    phases: ['attach', 'detach'],
    add: set,
    remove: ({ name }) => name.replace(/^(\S+) (\S+)$/, `alter ${relation} $1 unset tag $2`),
    change: (wanted) => [['swap', set(wanted)]],
  }
}

/** Of `core.dim_learner.country` and what follows it. */
function alterColumn({ name }: PolicyObject): string {
  const [schema, table, column] = partsOf(name)
  return `alter table ${schema}.${table} modify column ${column}`
}

/** Of `core.dim_learner.country policy.classification`. */
function tagIn({ name }: PolicyObject): string {
  return partsOf(name).slice(3).join('.')
}

/** Of `policy.rows_own_courses_number on (course_key)`. */
function policyOn(definition: string): string {
  return definition.replace(/ on \(.*\)$/, '')
}

const rowOf = (name: string) => JSON.parse(name) as string[]

function conditions(columns: readonly string[], name: string): string {
  return rowOf(name)
    .map((value, index) => `${columns[index]} = ${text(value)}`)
    .join(' and ')
}
