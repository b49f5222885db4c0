/** The grants of a role: on its database and warehouse, on schemas with what comes later, on tables. */

import { managed } from '../plan.ts'
import type { Grant, Policy, PolicyObject, Role } from '../policy.ts'
import {
  ALLOWED_ROWS,
  BUILDERS,
  identifier,
  POLICY_SCHEMA,
  qualified,
  REVEALERS,
  ROW_RULES,
  told,
  USER_VALUES,
} from './names.ts'
import { hasTables, ownGrants } from './roles.ts'
import type { Place, Relation } from './wanted.ts'

/** What a role that loads and builds may do with a schema: lpa makes tables, views, the stage and the sequence of loads in it. */
const CREATE = ['table', 'view', 'stage', 'sequence']
const WRITE = ['insert', 'update', 'delete']

/** Where rows are built; who builds fills what row rules allow. */
export const BUILT = 'core'
const OF_BUILDERS = [
  `usage on schema ${POLICY_SCHEMA}`,
  ...[USER_VALUES, ROW_RULES, ALLOWED_ROWS, BUILDERS].map((table) => `select on table ${table}`),
  ...['insert', 'delete'].map((privilege) => `${privilege} on table ${ALLOWED_ROWS}`),
]

/** What a role is granted by itself in Snowflake, each privilege apart. */
export function grantsOf(
  policy: Policy,
  role: Role,
  relations: readonly Relation[],
  { database, warehouse, loads }: Place,
): PolicyObject[] {
  const to = `to role ${identifier(role.name)}`
  const wanted = new Map<string, PolicyObject>()
  const grant = (what: string, kind = 'grant') => {
    const name = `${what} ${to}`
    wanted.set(`${kind} ${name}`, managed(kind, name))
  }
  const onAll = (privilege: string, plural: string, schema: string, future: boolean) => {
    grant(`${privilege} on all ${plural} in schema ${schema}`)
    if (future) grant(`${privilege} on future ${plural} in schema ${schema}`, 'future grant')
  }
  const onTable = (table: string) => {
    const kind = relations.find(({ name }) => name === table)?.kind
    if (kind === undefined) return
    grant(`usage on schema ${qualified(table.split('.')[0] ?? '')}`)
    grant(`select on ${kind} ${qualified(table)}`)
  }
  grant(`usage on database ${told(database)}`)
  if (warehouse !== undefined) grant(`usage on warehouse ${told(warehouse)}`)
  for (const one of ownGrants(policy, role)) write(one)
  if (role.mayReveal && hasTables(role))
    for (const what of [`usage on schema ${POLICY_SCHEMA}`, `select on table ${REVEALERS}`]) grant(what)
  return [...wanted.values()].filter(({ name }) => !isPartOfAll(name))

  /** A table of a schema that is granted as a whole. */
  function isPartOfAll(name: string): boolean {
    const all = name.replace(
      /^(\w+) on (table|view) ([^.]+)\..* to role /,
      '$1 on all $2s in schema $3 to role ',
    )
    return all !== name && wanted.has(`grant ${all}`)
  }

  function write(one: Grant): void {
    switch (one.kind) {
      case 'table':
        onTable(one.table)
        return
      case 'tag':
        for (const { table, tag, value, column } of policy.taggings)
          if (column === undefined && tag === one.tag && value === one.value) onTable(table)
        return
      case 'schema':
        grant(`usage on schema ${qualified(one.schema)}`)
        for (const plural of ['tables', 'views']) onAll('select', plural, qualified(one.schema), one.future)
        return
      case 'write': {
        const schema = qualified(one.schema)
        grant(`usage on schema ${schema}`)
        for (const made of CREATE) grant(`create ${made} on schema ${schema}`)
        for (const privilege of ['select', ...WRITE]) onAll(privilege, 'tables', schema, one.future)
        onAll('select', 'views', schema, one.future)
        for (const privilege of ['read', 'write'])
          if (isIn(loads.stage, one.schema)) grant(`${privilege} on stage ${loads.stage}`)
        if (one.schema === BUILT) for (const what of OF_BUILDERS) grant(what)
        if (isIn(loads.sequence, one.schema)) grant(`usage on sequence ${loads.sequence}`)
      }
    }
  }
}

const isIn = (name: string, schema: string) => name.startsWith(`${schema}.`)
