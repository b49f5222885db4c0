/** The objects that Snowflake has of a policy, told from what it says of itself. */

import type { PolicyObject } from '../policy.ts'
import { POLICY_SCHEMA, POLICY_TABLES, told, uncommented } from './names.ts'
import type { SnowflakeState } from './state.ts'
import type { MaskingDefinition, RowAccessDefinition, TagDefinition } from './wanted.ts'

/** Grants to these are how an account is administered, not who may see what. */
const SYSTEM_ROLES: ReadonlySet<string> = new Set([
  'accountadmin',
  'globalorgadmin',
  'orgadmin',
  'securityadmin',
  'sysadmin',
  'useradmin',
])

/** Kinds of objects that a policy grants something on. What lpa's roles have of others in its database is none of it. */
const GRANTED_ON: ReadonlySet<string> = new Set([
  'database',
  'schema',
  'sequence',
  'stage',
  'table',
  'view',
  'warehouse',
])

/**
 * Roles are lpa's by their comment, tags and policies too; all that such a role is granted in lpa's database is, and who was
 * given one by it. The rest is others'. A grant on all tables of a schema is told as such where the policy wants it so.
 */
export function liveOnSnowflake(
  state: SnowflakeState,
  wanted: readonly PolicyObject[],
): readonly PolicyObject[] {
  const names = new Set(wanted.map(({ kind, name }) => `${kind} ${name}`))
  return [
    ...(state.hasPolicySchema ? [object('schema', POLICY_SCHEMA)] : []),
    ...POLICY_TABLES.filter((table) => state.policyTables.includes(table)).map((table) =>
      object('table', table),
    ),
    ...roles(state, names),
    ...tags(state),
    ...policies(state),
    ...uses(state),
    ...taggings(state),
    ...grants(state, names),
    ...futureGrants(state),
    ...members(state, names),
    ...state.userValues.map((row) => object('value of a user', JSON.stringify(row))),
    ...state.givenRoles.map((row) => object('given role', JSON.stringify(row))),
    ...state.builders.map((row) => object('builder', JSON.stringify(row))),
    ...state.revealers.map((row) => object('revealer', JSON.stringify(row))),
    ...state.rowRules.map((row) => object('row rule', JSON.stringify(row))),
  ]
}

/** The roles whose grants count: lpa's, and those that the policy takes as its own. */
export function rolesOfLpa(
  state: Pick<SnowflakeState, 'roles'>,
  wanted: readonly PolicyObject[],
): readonly string[] {
  const named = new Set(wanted.filter(({ kind }) => kind === 'role').map(({ name }) => name))
  return state.roles
    .filter(({ name, comment }) => named.has(name) || uncommented(comment) !== undefined)
    .map(({ name }) => name)
}

/** What is not lpa's differs from all that it could want. */
function object(kind: string, name: string, definition = '', managed = true): PolicyObject {
  return { kind, name, definition: managed ? definition : `not of lpa: ${definition}`, managed }
}

function roles(state: SnowflakeState, names: ReadonlySet<string>): PolicyObject[] {
  return state.roles.flatMap(({ name, comment }) => {
    const said = uncommented(comment)
    if (said !== undefined) return [object('role', name, said)]
    // Roles of the account that the policy does not know are nobody's business here.
    return names.has(`role ${name}`) ? [object('role', name, comment, false)] : []
  })
}

function tags({ tags }: SnowflakeState): PolicyObject[] {
  return tags.map(({ name, values, comment }) => {
    const said = uncommented(comment)
    const definition: TagDefinition = { values: [...values].sort(), comment: said ?? comment }
    return { kind: 'tag', name, definition: JSON.stringify(definition), managed: said !== undefined }
  })
}

function policies(state: SnowflakeState): PolicyObject[] {
  const masking = state.maskingPolicies.map(({ name, comment, arguments: taken, body }) => {
    const definition: MaskingDefinition = { type: taken[0]?.split(' ')[1] ?? '', body }
    return {
      kind: 'masking policy',
      name,
      definition: JSON.stringify(definition),
      managed: uncommented(comment) !== undefined,
    }
  })
  const rowAccess = state.rowAccessPolicies.map(({ name, comment, arguments: taken, body }) => {
    const definition: RowAccessDefinition = { arguments: taken, body }
    return {
      kind: 'row access policy',
      name,
      definition: JSON.stringify(definition),
      managed: uncommented(comment) !== undefined,
    }
  })
  return [...masking, ...rowAccess]
}

function uses(state: SnowflakeState): PolicyObject[] {
  return state.policyUses.flatMap(({ policy, kind, tag, table, columns }) => {
    if (kind === 'row access')
      return table === undefined
        ? []
        : [object('rows of a table', table, `${policy} on (${columns.join(', ')})`)]
    if (tag !== undefined) return [object('mask of a tag', `${tag} ${policy}`)]
    return [object('mask of a column', `${table}.${columns[0]}`, policy)]
  })
}

function taggings({ taggings, relations }: SnowflakeState): PolicyObject[] {
  const kinds = new Map(relations.map(({ name, kind }) => [name, kind]))
  return taggings.map(({ tag, value, table, column }) =>
    column === undefined
      ? object(`tag of a ${kinds.get(table) ?? 'table'}`, `${table} ${tag}`, value)
      : object('tag of a column', `${table}.${column} ${tag}`, value),
  )
}

function grants({ grants, relations }: SnowflakeState, names: ReadonlySet<string>): PolicyObject[] {
  const found = new Map<string, PolicyObject>()
  const add = (name: string, managed = true) => found.set(name, object('grant', name, '', managed))
  const given = new Map<string, Set<string>>()
  for (const { privilege, on, name, isElsewhere, role } of grants) {
    if ((on !== 'table' && on !== 'view') || isElsewhere) continue
    const key = `${privilege} ${role}`
    given.set(key, (given.get(key) ?? new Set()).add(name))
  }
  const bySchema = relationsBySchema(relations)
  for (const key of names) {
    const [, privilege, kind, schema, role] =
      /^grant (\w+) on all (table|view)s in schema (\S+) to role (.+)$/.exec(key) ?? []
    if (schema === undefined) continue
    const all = bySchema.get(`${kind} ${schema}`) ?? []
    const its = given.get(`${privilege} ${role}`)
    if (all.every((name) => its?.has(name))) add(key.replace(/^grant /, ''))
  }
  for (const { privilege, on, name, isElsewhere, role } of grants) {
    // Of what is owned nothing can be taken back, roles are told by who has them, and other warehouses show nobody more.
    if (privilege === 'ownership' || on === 'role' || (on === 'warehouse' && isElsewhere)) continue
    if (isPartOfAll(names, privilege, on, name, role)) continue
    if (on === 'database role') continue
    const what = on === 'account' ? `${privilege} on account` : `${privilege} on ${on} ${name}`
    add(`${what} to role ${role}`, !isElsewhere && GRANTED_ON.has(on))
  }
  return [...found.values()]
}

/** `table core` and its tables. */
function relationsBySchema(relations: SnowflakeState['relations']): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  for (const { name, kind } of relations) {
    const key = `${kind} ${name.split('.', 1)[0]}`
    found.set(key, [...(found.get(key) ?? []), name])
  }
  return found
}

/** Some tables of a schema that is to be granted as a whole: nothing to take back. */
function isPartOfAll(
  names: ReadonlySet<string>,
  privilege: string,
  on: string,
  name: string,
  role: string,
): boolean {
  if (on !== 'table' && on !== 'view') return false
  return names.has(`grant ${privilege} on all ${on}s in schema ${name.split('.', 1)[0]} to role ${role}`)
}

function futureGrants(state: SnowflakeState): PolicyObject[] {
  const own = new Set(state.grants.map(({ role }) => role))
  for (const { name, comment } of state.roles) if (uncommented(comment) !== undefined) own.add(name)
  return state.futureGrants
    .filter(({ role }) => own.has(role))
    .map(({ privilege, on, schema, role }) => {
      const place = schema === undefined ? `database ${told(state.database)}` : `schema ${schema}`
      return object('future grant', `${privilege} on future ${on}s in ${place} to role ${role}`)
    })
}

/** Of what others have done: what a policy's own grants do to it, and what no plan takes back. */
export function liveNotes(state: SnowflakeState, wanted: readonly PolicyObject[]): readonly string[] {
  const own = new Set(rolesOfLpa(state, wanted))
  const ofDatabase = state.futureGrants
    .filter(({ schema, role }) => schema === undefined && !own.has(role))
    .map(
      ({ privilege, on, role }) =>
        `${role}: its ${privilege} on future ${on}s of the database does not count in schemas that have future grants of their own on ${on}s.`,
    )
  return [...ofDatabase, ...ownerNotes(state, wanted)]
}

/** Who makes tables owns them; other roles own what somebody gave them. */
function ownerNotes({ grants }: SnowflakeState, wanted: readonly PolicyObject[]): string[] {
  const makers = wanted.flatMap(
    ({ name }) => /^create table on schema \S+ to role (.+)$/.exec(name)?.[1] ?? [],
  )
  return grants
    .filter(
      ({ privilege, on, isElsewhere, role }) =>
        privilege === 'ownership' && GRANTED_ON.has(on) && !isElsewhere && !makers.includes(role),
    )
    .map(
      ({ on, name, role }) =>
        `${role} owns the ${on} ${name}, and may grant it to anybody. To give it back: grant ownership on ${on} ${name} to role … copy current grants`,
    )
}

function members(state: SnowflakeState, names: ReadonlySet<string>): PolicyObject[] {
  const lpa = new Set(
    state.roles.filter(({ comment }) => uncommented(comment) !== undefined).map(({ name }) => name),
  )
  const given = new Set(state.givenRoles.map((row) => JSON.stringify(row)))
  // Where the policy names no user, others say who has which role.
  const namesUsers = [...names].some((name) => name.startsWith('role of a user ')) || given.size > 0
  const found = new Map<string, PolicyObject>()
  for (const { role, to, grantee } of state.members) {
    const name = `role ${role} to ${to} ${grantee}`
    if (to === 'role') {
      if (!SYSTEM_ROLES.has(grantee)) found.set(name, object('role in role', name, '', lpa.has(grantee)))
    } else if (namesUsers)
      found.set(name, object('role of a user', name, '', given.has(JSON.stringify([grantee, role]))))
  }
  for (const { on, name: given, role, privilege } of state.grants) {
    if (privilege === 'ownership' || (on !== 'role' && on !== 'database role')) continue
    const name = `${on} ${given} to role ${role}`
    if (!found.has(name)) found.set(name, object('role in role', name, '', on === 'role' && lpa.has(given)))
  }
  return [...found.values()]
}
