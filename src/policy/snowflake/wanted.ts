/** What a policy means in Snowflake: its objects, and what of it Snowflake cannot keep. */

import type { Grant, Mask, Policy, PolicyObject, Role, RowRule, Tagging } from '../policy.ts'
import { rolesOf } from '../resolve.ts'
import { columnBody, columnPolicyName, tagBody, tagPolicyName, writtenType } from './masking.ts'
import {
  ALLOWED_ROWS,
  BUILDERS,
  identifier,
  POLICY_SCHEMA,
  POLICY_TABLES,
  qualified,
  ROW_RULES,
  stored,
  told,
  USER_VALUES,
} from './names.ts'
import { hasTables, inheritorsOf, ownGrants, ownRoles } from './roles.ts'
import { allowedText, type RuledColumn, rowAccessPolicy } from './row-access.ts'

/** A table or view, with the types of the information schema: `text`, `number(38,0)`. */
export interface Relation {
  readonly name: string
  readonly kind: 'table' | 'view'
  readonly columns: readonly { readonly name: string; readonly type: string }[]
}

export interface Place {
  readonly database: string
  /** Which roles may use; none: no role is granted one. */
  readonly warehouse: string | undefined
  /** What loads use besides tables: `meta.staged_files`, `meta.load_ids`. */
  readonly loads: { readonly stage: string; readonly sequence: string }
}

export interface WantedPolicy {
  readonly objects: readonly PolicyObject[]
  /** In sentences: what is not enforced there, or has to wait. */
  readonly notes: readonly string[]
}

/** What a `masking policy` is. */
export interface MaskingDefinition {
  readonly type: string
  readonly body: string
}

/** What a `row access policy` is. */
export interface RowAccessDefinition {
  readonly arguments: readonly string[]
  readonly body: string
}

/** What a `tag` is. */
export interface TagDefinition {
  readonly values: readonly string[]
  readonly comment: string
}

/**
 * The objects of a policy on these tables. Kinds of which name and definition are not said in `statements.ts` are told by
 * their name alone.
 */
export function wantedOnSnowflake(
  policy: Policy,
  relations: readonly Relation[],
  place: Place,
): WantedPolicy {
  const tables = new Map(
    relations.filter(({ kind }) => kind === 'table').map((relation) => [relation.name, relation]),
  )
  const known = new Map(relations.map(({ name, kind }) => [name, kind]))
  const masked = maskedColumns(policy, tables)
  const objects = [
    object('schema', POLICY_SCHEMA),
    ...POLICY_TABLES.map((table) => object('table', table)),
    ...tags(policy),
    ...policy.roles.map(({ name, comment }) => object('role', identifier(name), comment)),
    ...maskingPolicies(policy, masked, place.database),
    ...taggings(policy, known),
    ...rowAccess(policy, tables, place.database),
    ...policy.roles.flatMap((role) => grants(policy, role, relations, place)),
    ...policy.roles.flatMap((role) =>
      ownRoles(policy, role).map((given) =>
        object('role in role', `role ${identifier(given)} to role ${identifier(role.name)}`),
      ),
    ),
    ...policy.rowRules.flatMap(({ name, attribute, allowed }) =>
      allowed === undefined
        ? []
        : [object('row rule', JSON.stringify([name, attribute, allowedText(allowed)]))],
    ),
    ...policy.roles
      .filter((role) => isBuilder(policy, role))
      .map(({ name }) => object('builder', JSON.stringify([stored(name)]))),
    ...users(policy),
  ]
  return { objects, notes: notes(policy, known, masked) }
}

function object(kind: string, name: string, definition = ''): PolicyObject {
  return { kind, name, definition, managed: true }
}

// ── tags ──────────────────────────────────────────────────────────────────────────────────────────────────

/** Tags that masks look at are other ones on whole tables: columns take over the tags of their table in Snowflake. */
function tagOfTable(policy: Policy, tag: string): string {
  return masksByTag(policy).has(tag) ? `${tag}_of_table` : tag
}

function masksByTag(policy: Policy): ReadonlySet<string> {
  return new Set(policy.masks.flatMap(({ tagged }) => tagged.map(({ tag }) => tag)))
}

const tagName = (tag: string) => qualified(`${POLICY_SCHEMA}.${tag}`)

function tags(policy: Policy): PolicyObject[] {
  return policy.tags.flatMap(({ name, values, comment }) => {
    const definition: TagDefinition = { values: [...values].sort(), comment }
    return [...new Set([name, tagOfTable(policy, name)])].map((one) =>
      object('tag', tagName(one), JSON.stringify(definition)),
    )
  })
}

function taggings(policy: Policy, known: ReadonlyMap<string, Relation['kind']>): PolicyObject[] {
  return policy.taggings
    .filter(({ table }) => known.has(table))
    .map(({ table, column, tag, value }) =>
      column === undefined
        ? object(
            `tag of a ${known.get(table)}`,
            `${qualified(table)} ${tagName(tagOfTable(policy, tag))}`,
            value,
          )
        : object('tag of a column', `${qualified(`${table}.${column}`)} ${tagName(tag)}`, value),
    )
}

// ── masks ─────────────────────────────────────────────────────────────────────────────────────────────────

interface MaskedColumn {
  readonly mask: Mask
  readonly table: string
  readonly column: string
  readonly type: string
  /** By which it is masked; by none: it is named by the mask. */
  readonly tag: string | undefined
}

function maskedColumns(policy: Policy, tables: ReadonlyMap<string, Relation>): MaskedColumn[] {
  const named = new Map(policy.masks.flatMap((mask) => mask.columns.map((column) => [column, mask] as const)))
  const found: MaskedColumn[] = []
  for (const { name: table, columns } of tables.values()) {
    const own = policy.taggings.filter((tagging) => tagging.table === table && tagging.column !== undefined)
    for (const { name: column, type } of columns) {
      const byName = named.get(`${table}.${column}`)
      if (byName) found.push({ mask: byName, table, column, type, tag: undefined })
      for (const tagging of own) {
        if (tagging.column !== column) continue
        const byTag = policy.masks.find(({ tagged }) => tagged.some((one) => isTagged(one, tagging)))
        if (byTag) found.push({ mask: byTag, table, column, type, tag: tagging.tag })
      }
    }
  }
  return found
}

function isTagged(wanted: { tag: string; value: string }, tagging: Tagging): boolean {
  return wanted.tag === tagging.tag && wanted.value === tagging.value
}

function maskingPolicies(policy: Policy, masked: readonly MaskedColumn[], database: string): PolicyObject[] {
  const policies = new Map<string, PolicyObject>()
  const uses = new Map<string, PolicyObject>()
  for (const { mask, table, column, type, tag } of masked) {
    const name = tag === undefined ? columnPolicyName(mask.name, type) : tagPolicyName(tag, type)
    if (!policies.has(name)) {
      const body = tag === undefined ? columnBody(policy, mask, type) : tagBody(policy, tag, type, database)
      const definition: MaskingDefinition = { type: writtenType(type), body }
      policies.set(name, object('masking policy', name, JSON.stringify(definition)))
    }
    const use =
      tag === undefined
        ? object('mask of a column', qualified(`${table}.${column}`), name)
        : object('mask of a tag', `${tagName(tag)} ${name}`)
    uses.set(use.name, use)
  }
  return [...byName(policies.values()), ...byName(uses.values())]
}

// ── rows ──────────────────────────────────────────────────────────────────────────────────────────────────

function rowAccess(policy: Policy, tables: ReadonlyMap<string, Relation>, database: string): PolicyObject[] {
  const policies = new Map<string, PolicyObject>()
  const uses: PolicyObject[] = []
  for (const { name: table, columns } of tables.values()) {
    const ruled = policy.rowRules.flatMap((rule): RuledColumn[] =>
      rule.on
        .filter((one) => one.table === table)
        .flatMap(({ column }) => {
          const type = columns.find(({ name }) => name === column)?.type
          return type === undefined ? [] : [{ rule, column, type }]
        }),
    )
    if (ruled.length === 0) continue
    const { name, columns: on, ...definition } = rowAccessPolicy(policy, ruled, database)
    policies.set(
      name,
      object('row access policy', name, JSON.stringify(definition satisfies RowAccessDefinition)),
    )
    uses.push(object('rows of a table', qualified(table), `${name} on (${on.map(identifier).join(', ')})`))
  }
  return [...byName(policies.values()), ...byName(uses)]
}

function byName(objects: Iterable<PolicyObject>): PolicyObject[] {
  return [...objects].sort((a, b) => (a.name < b.name ? -1 : 1))
}

// ── grants ────────────────────────────────────────────────────────────────────────────────────────────────

/** What a role that loads and builds may do with a schema: lpa makes tables, views, the stage and the sequence of loads in it. */
const CREATE = ['table', 'view', 'stage', 'sequence']
const WRITE = ['insert', 'update', 'delete']

/** Where rows are built; who builds fills what row rules allow. */
const BUILT = 'core'
const OF_BUILDERS = [
  `usage on schema ${POLICY_SCHEMA}`,
  ...[USER_VALUES, ROW_RULES, ALLOWED_ROWS, BUILDERS].map((table) => `select on table ${table}`),
  ...['insert', 'delete'].map((privilege) => `${privilege} on table ${ALLOWED_ROWS}`),
]

/** Who builds, and sees all that it builds from as it is. */
function isBuilder(policy: Policy, role: Role): boolean {
  const { masks, rowRules } = policy
  return (
    [...rolesOf(policy, role.name)].some((name) =>
      policy.roles.some(
        (one) =>
          one.name === name && one.grants.some((grant) => grant.kind === 'write' && grant.schema === BUILT),
      ),
    ) &&
    masks.every(({ exempt }) => inheritorsOf(policy, exempt).has(role.name)) &&
    !rowRules.some((rule) => isFiltered(policy, rule, role.name))
  )
}

function grants(
  policy: Policy,
  role: Role,
  relations: readonly Relation[],
  { database, warehouse, loads }: Place,
): PolicyObject[] {
  const to = `to role ${identifier(role.name)}`
  const wanted = new Map<string, PolicyObject>()
  const grant = (what: string, kind = 'grant') => {
    const name = `${what} ${to}`
    wanted.set(`${kind} ${name}`, object(kind, name))
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

// ── users ─────────────────────────────────────────────────────────────────────────────────────────────────

function users(policy: Policy): PolicyObject[] {
  return policy.users.flatMap(({ name, roles, attributes }) => [
    ...roles.flatMap((role) => [
      object('given role', JSON.stringify([identifier(name), identifier(role)])),
      object('role of a user', `role ${identifier(role)} to user ${identifier(name)}`),
    ]),
    ...Object.entries(attributes).flatMap(([attribute, values]) =>
      values.map((value) => object('value of a user', JSON.stringify([stored(name), attribute, value]))),
    ),
  ])
}

// ── what Snowflake does not keep ──────────────────────────────────────────────────────────────────────────

function notes(
  policy: Policy,
  known: ReadonlyMap<string, Relation['kind']>,
  masked: readonly MaskedColumn[],
): readonly string[] {
  const found: string[] = []
  for (const role of policy.roles) {
    if (!hasTables(role))
      found.push(
        `${role.name}: Snowflake hides no counts of fewer than ${role.minCell} learners, so the role gets no table there.`,
      )
    if (role.grants.some(({ kind }) => kind === 'tag'))
      found.push(`${role.name}: a table that is tagged later is granted by the next lpa grant apply.`)
    if (!writes(policy, role)) continue
    for (const mask of new Set(masked.map(({ mask }) => mask)))
      if (!inheritorsOf(policy, mask.exempt).has(role.name))
        found.push(
          `${role.name} writes, and ${mask.name} masks what it reads: the rows it builds would hold masked values. Exempt it.`,
        )
    for (const rule of policy.rowRules)
      if (isFiltered(policy, rule, role.name))
        found.push(
          `${role.name} writes, and ${rule.name} filters what it reads: the rows it builds would be some of them. Exempt it.`,
        )
  }
  const missing = new Set(policy.taggings.map(({ table }) => table).filter((table) => !known.has(table)))
  if (missing.size > 0)
    found.push(`Not there yet, so neither tagged nor masked: ${[...missing].sort().join(', ')}.`)
  return [...new Set(found)]
}

function writes(policy: Policy, role: Role): boolean {
  return ownGrants(policy, role).some(({ kind }) => kind === 'write')
}

function isFiltered(policy: Policy, { roles, exempt }: RowRule, role: string): boolean {
  return inheritorsOf(policy, roles).has(role) && !inheritorsOf(policy, exempt).has(role)
}
