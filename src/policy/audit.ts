/** What a policy leaves open: nothing that differs from it, but what somebody should have looked at. Pure. */

import type { TableDeclaration } from '../types.ts'
import { masksByColumn } from './columns.ts'
import type { Policy, Role } from './policy.ts'
import { mayRead, resolveAccess, rolesOf } from './resolve.ts'

export interface AuditFinding {
  /** An error is a mistake of the policy; a warning is what somebody may have wanted so, and is to be looked at now and then. */
  readonly severity: 'error' | 'warning'
  readonly kind:
    | 'personal column without a mask'
    | 'table that a row rule leaves out'
    | 'table without tags'
    | 'undeclared table'
    | 'undeclared column'
    | 'role without users'
    | 'wide grant'
  /** `core.dim_learner.country`, a table, a role. */
  readonly target: string
  readonly next: string
}

/** The tag that says how far a value may go, and its value for what names a person. */
const PERSONAL = { tag: 'classification', value: 'personal' }
/** The tag of tables that hold something of each learner. */
const OF_LEARNERS = { tag: 'subject', value: 'learner' }

/** What an engine knows, where it keeps the policy itself. */
export interface KnownToEngine {
  /** Roles that somebody has; else only the policy says who has which. */
  readonly held?: ReadonlySet<string> | undefined
  /** Tables and views that are there and can be granted; else roles see declared ones only. */
  readonly relations?: readonly LiveRelation[] | undefined
}

interface LiveRelation {
  readonly name: string
  readonly columns: readonly { readonly name: string }[]
}

/** @param declared tables and views of the warehouse */
export function auditPolicy(
  policy: Policy,
  declared: readonly TableDeclaration[],
  { held, relations = [] }: KnownToEngine = {},
): readonly AuditFinding[] {
  return [
    ...undeclared(policy, declared, relations),
    ...unmasked(policy),
    ...unfiltered(policy, declared),
    ...untagged(policy, declared),
    ...unused(policy, held ?? new Set(policy.users.flatMap(({ roles }) => roles))),
    ...policy.roles.flatMap((role) => wide(role, declared)),
  ]
}

/** What no mask and no rule can name, of schemas that somebody is granted as a whole, or of a table. */
function undeclared(
  policy: Policy,
  declared: readonly TableDeclaration[],
  relations: readonly LiveRelation[],
): AuditFinding[] {
  const known = new Map(declared.map((table) => [table.name, table]))
  // Roles that may not see few get no tables where others than lpa can be asked.
  const roles = policy.roles.flatMap(({ name, minCell }) => (minCell === undefined ? name : []))
  return relations.flatMap(({ name, columns }) => {
    const readers = roles.filter((role) => mayRead(policy, role, name))
    if (readers.length === 0) return []
    const next = `${readers.join(', ')} may read it, unmasked: take it to a schema that no role is granted.`
    const own = known.get(name)
    const finding = (kind: AuditFinding['kind'], target: string) => ({
      ...{ severity: 'error' as const, kind, target, next },
    })
    if (own === undefined) return finding('undeclared table', name)
    // A view's are those of its SELECT, which lpa schema status compares.
    if (own.kind === 'view') return []
    return columns
      .filter((column) => own.columns.every((one) => one.name !== column.name))
      .map((column) => finding('undeclared column', `${name}.${column.name}`))
  })
}

function unmasked(policy: Policy): AuditFinding[] {
  const masks = masksByColumn(policy)
  return policy.taggings.flatMap(({ tag, value, table, column }) => {
    if (tag !== PERSONAL.tag || value !== PERSONAL.value || column === undefined) return []
    const target = `${table}.${column}`
    if (masks.has(target)) return []
    return [
      {
        ...{ severity: 'error', kind: 'personal column without a mask', target },
        next: 'Cover it by a mask, or drop the column.',
      },
    ]
  })
}

/** What a role sees all rows of, though a rule filters other tables for it by a column that this one has too. */
function unfiltered(policy: Policy, declared: readonly TableDeclaration[]): AuditFinding[] {
  const ofLearners = new Set(
    policy.taggings.flatMap(({ tag, value, table, column }) =>
      tag === OF_LEARNERS.tag && value === OF_LEARNERS.value && column === undefined ? table : [],
    ),
  )
  const found = policy.roles.flatMap(({ name }) => {
    const { tables } = resolveAccess(policy, declared, name, '')
    const filters = tables.filter(({ isGranted }) => isGranted).flatMap((table) => table.filters)
    return tables
      .filter((table) => table.isGranted && table.filters.length === 0 && ofLearners.has(table.name))
      .flatMap((table) => {
        const filter = filters.find(({ column }) => table.columns.some((one) => one.name === column))
        return filter ? { rule: filter.rule.name, column: `${table.name}.${filter.column}`, role: name } : []
      })
  })
  return found.map(({ rule, column, role }) => ({
    ...{ severity: 'error', kind: 'table that a row rule leaves out', target: `${rule}: ${column}` },
    next: `${role} sees all its rows: name it under on of the rule.`,
  }))
}

function untagged({ taggings }: Policy, declared: readonly TableDeclaration[]): AuditFinding[] {
  const tagged = new Set(taggings.map(({ table }) => table))
  return declared
    .filter(({ name, kind }) => kind === 'table' && !tagged.has(name))
    .map(({ name }) => ({
      ...{ severity: 'error', kind: 'table without tags', target: name },
      next: 'Say what it holds and how long it is kept.',
    }))
}

/** A role that others inherit from is used by who has those. */
function unused(policy: Policy, held: ReadonlySet<string>): AuditFinding[] {
  const used = new Set([...held].flatMap((role) => [...rolesOf(policy, role)]))
  return policy.roles
    .filter(({ name }) => !used.has(name))
    .map(({ name }) => ({
      ...{ severity: 'warning', kind: 'role without users', target: name },
      next: 'Give it to who needs it, or remove it.',
    }))
}

function wide({ name, grants }: Role, declared: readonly TableDeclaration[]): AuditFinding[] {
  const schemas = new Set(declared.map((table) => table.name.split('.', 1)[0] ?? ''))
  const read = grants.flatMap((grant) =>
    grant.kind === 'schema' || grant.kind === 'write' ? [grant.schema] : [],
  )
  const written = grants.flatMap((grant) => (grant.kind === 'write' && grant.future ? [grant.schema] : []))
  const reads = [...schemas].every((schema) => read.includes(schema))
    ? 'every schema'
    : read.includes('raw')
      ? 'raw, as it came in'
      : undefined
  const finding = (what: string, next: string) => ({
    ...{ severity: 'warning' as const, kind: 'wide grant' as const },
    target: `${name}: ${what}`,
    next,
  })
  return [
    ...(reads ? [finding(`reads ${reads}`, 'Few should have it: name tables instead where that does.')] : []),
    ...(written.length > 0
      ? [
          finding(
            `writes ${[...new Set(written)].join(', ')}, also tables to come`,
            'Only who loads and builds should have it.',
          ),
        ]
      : []),
  ]
}
