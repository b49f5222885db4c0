/** What a policy means in Snowflake: its objects, and what of it Snowflake cannot keep. */

import { createHash } from 'node:crypto'
import { managed } from '../plan.ts'
import type { Mask, Policy, PolicyObject, Role, RowRule, Tagging } from '../policy.ts'
import { rolesOf } from '../resolve.ts'
import { BUILT, grantsOf } from './grants.ts'
import { columnBody, columnPolicyName, tagBody, tagPolicyName, writtenType } from './masking.ts'
import { identifier, POLICY_SCHEMA, POLICY_TABLES, qualified, stored } from './names.ts'
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
 * The objects of a policy on these tables. Their kinds are those of `kinds.ts`.
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
    managed('schema', POLICY_SCHEMA),
    ...POLICY_TABLES.map((table) => managed('table', table)),
    ...tags(policy),
    ...policy.roles.map(({ name, comment }) => managed('role', identifier(name), comment)),
    ...maskingPolicies(policy, masked, place.database),
    ...taggings(policy, known),
    ...rowAccess(policy, tables, place.database),
    ...policy.roles.flatMap((role) => grantsOf(policy, role, relations, place)),
    ...policy.roles.flatMap((role) =>
      ownRoles(policy, role).map((given) =>
        managed('role in role', `role ${identifier(given)} to role ${identifier(role.name)}`),
      ),
    ),
    ...policy.rowRules.flatMap(({ name, attribute, allowed }) =>
      allowed === undefined
        ? []
        : [managed('row rule', JSON.stringify([name, attribute, allowedText(allowed)]))],
    ),
    ...policy.roles
      .filter((role) => isBuilder(policy, role))
      .map(({ name }) => managed('builder', JSON.stringify([stored(name)]))),
    ...policy.roles
      .filter((role) => role.mayReveal && hasTables(role))
      .map(({ name }) => managed('revealer', JSON.stringify([stored(name)]))),
    ...users(policy),
  ]
  return { objects, notes: notes(policy, known, masked) }
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
      managed('tag', tagName(one), JSON.stringify(definition)),
    )
  })
}

function taggings(policy: Policy, known: ReadonlyMap<string, Relation['kind']>): PolicyObject[] {
  return policy.taggings
    .filter(({ table }) => known.has(table))
    .map(({ table, column, tag, value }) =>
      column === undefined
        ? managed(
            `tag of a ${known.get(table)}`,
            `${qualified(table)} ${tagName(tagOfTable(policy, tag))}`,
            value,
          )
        : managed('tag of a column', `${qualified(`${table}.${column}`)} ${tagName(tag)}`, value),
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
      policies.set(name, managed('masking policy', name, JSON.stringify(definition)))
    }
    const use =
      tag === undefined
        ? managed('mask of a column', qualified(`${table}.${column}`), name)
        : managed('mask of a tag', `${tagName(tag)} ${name}`)
    uses.set(use.name, use)
  }
  return [...byName(policies.values()), ...byName(uses.values())]
}

// ── rows ──────────────────────────────────────────────────────────────────────────────────────────────────

function rowAccess(policy: Policy, tables: ReadonlyMap<string, Relation>, database: string): PolicyObject[] {
  const policies = new Map<string, PolicyObject>()
  const rules = new Map<string, string>()
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
    const { name: given, of, columns: on, ...definition } = rowAccessPolicy(policy, ruled, database)
    const name = qualified(`${POLICY_SCHEMA}.${distinct(given, of, rules)}`)
    policies.set(
      name,
      managed('row access policy', name, JSON.stringify(definition satisfies RowAccessDefinition)),
    )
    uses.push(managed('rows of a table', qualified(table), `${name} on (${on.map(identifier).join(', ')})`))
  }
  return [...byName(policies.values()), ...byName(uses)]
}

/** Snowflake takes names of so many characters. */
const LONGEST_NAME = 255

/** A name that no policy of other rules has: those of `x_y` are not those of `x` and `y`. */
function distinct(name: string, of: string, taken: Map<string, string>): string {
  const isFree = name.length <= LONGEST_NAME && (taken.get(name) ?? of) === of
  const hash = createHash('sha256').update(of).digest('hex').slice(0, 16)
  const own = isFree ? name : `${name.slice(0, LONGEST_NAME - hash.length - 1)}_${hash}`
  taken.set(own, of)
  return own
}

function byName(objects: Iterable<PolicyObject>): PolicyObject[] {
  return [...objects].sort((a, b) => (a.name < b.name ? -1 : 1))
}

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

// ── users ─────────────────────────────────────────────────────────────────────────────────────────────────

function users(policy: Policy): PolicyObject[] {
  return policy.users.flatMap(({ name, roles, attributes }) => [
    ...roles.flatMap((role) => [
      managed('given role', JSON.stringify([identifier(name), identifier(role)])),
      managed('role of a user', `role ${identifier(role)} to user ${identifier(name)}`),
    ]),
    ...Object.entries(attributes).flatMap(([attribute, values]) =>
      values.map((value) => managed('value of a user', JSON.stringify([stored(name), attribute, value]))),
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
