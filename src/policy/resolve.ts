/** What a policy means for one role: every table and column, clear, masked or not granted, and which rows are left. */

import { nearest } from '../did-you-mean.ts'
import { UserError } from '../errors.ts'
import type { TableDeclaration } from '../types.ts'
import { masksByColumn } from './columns.ts'
import type { Grant, Mask, Policy, Role, RowRule, TableName } from './policy.ts'

export interface ColumnAccess {
  readonly name: string
  /** As declared: `decimal(12, 2)`. */
  readonly type: string
  /** None: its values are clear. */
  readonly mask?: Mask
}

/** A row has to pass all of its table's. */
export interface RowFilter {
  readonly rule: RowRule
  readonly column: string
  /** The user's values of the rule's attribute; none: no row passes. */
  readonly values: readonly string[]
}

export interface TableAccess {
  readonly name: TableName
  readonly kind: 'table' | 'view'
  /** Whether the role may read it. What is masked and filtered holds for views over it too. */
  readonly isGranted: boolean
  /** Of a view none: they are as its tables have them. */
  readonly columns: readonly ColumnAccess[]
  readonly filters: readonly RowFilter[]
}

export interface RoleAccess {
  readonly role: Role
  readonly user: string
  /** In the order in which they are declared. */
  readonly tables: readonly TableAccess[]
}

/**
 * What `role` may see when `user` takes it; `declared` are the tables and views of the warehouse.
 * @throws UserError LPA-ROLE-UNKNOWN (usage) with the nearest name
 */
export function resolveAccess(
  policy: Policy,
  declared: readonly TableDeclaration[],
  roleName: string,
  user: string,
): RoleAccess {
  const role = roleOf(policy, roleName)
  const having = rolesOf(policy, roleName)
  const has = (names: readonly string[]) => names.some((name) => having.has(name))
  const grants = grantsOf(policy, having)
  const masks = masksByColumn(policy)
  const rules = policy.rowRules.filter(({ roles, exempt }) => has(roles) && !has(exempt))
  // By key: every object has a constructor.
  const attributes = new Map(Object.entries(policy.users.find(({ name }) => name === user)?.attributes ?? {}))
  const tables = declared.map(
    ({ name, kind, columns }): TableAccess => ({
      ...{ name, kind, isGranted: grants.some((grant) => opens(grant, name, policy)) },
      columns: columns.map((column) => {
        const [mask] = masks.get(`${name}.${column.name}`) ?? []
        const isMasked = mask !== undefined && !has(mask.exempt)
        return { name: column.name, type: column.type, ...(isMasked && { mask }) }
      }),
      filters: rules.flatMap((rule) =>
        rule.on
          .filter(({ table }) => table === name)
          .map(({ column }) => ({ rule, column, values: attributes.get(rule.attribute) ?? [] })),
      ),
    }),
  )
  return { role, user, tables }
}

function roleOf({ roles }: Policy, name: string): Role {
  const role = roles.find((one) => one.name === name)
  if (role) return role
  const names = roles.map((one) => one.name)
  throw new UserError('LPA-ROLE-UNKNOWN', `There is no role ${name}.`, {
    exit: 'usage',
    next: nearest(name, names),
  })
}

/** Whether a role is granted a table or view, whoever made that. */
export function mayRead(policy: Policy, roleName: string, table: TableName): boolean {
  return grantsOf(policy, rolesOf(policy, roleName)).some((grant) => opens(grant, table, policy))
}

function grantsOf({ roles }: Policy, names: ReadonlySet<string>): Grant[] {
  return roles.filter(({ name }) => names.has(name)).flatMap(({ grants }) => grants)
}

/** The role and all that it inherits from. */
export function rolesOf({ roles }: Pick<Policy, 'roles'>, name: string): ReadonlySet<string> {
  const found = new Set<string>()
  const add = (one: string): void => {
    if (found.has(one)) return
    found.add(one)
    for (const next of roles.find((role) => role.name === one)?.inherits ?? []) add(next)
  }
  add(name)
  return found
}

function opens(grant: Grant, table: TableName, { taggings }: Policy): boolean {
  switch (grant.kind) {
    case 'schema':
    case 'write':
      return table.startsWith(`${grant.schema}.`)
    case 'table':
      return table === grant.table
    case 'tag':
      return taggings.some(
        (one) =>
          one.table === table &&
          one.column === undefined &&
          one.tag === grant.tag &&
          one.value === grant.value,
      )
  }
}
