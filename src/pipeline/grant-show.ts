/** What a declared policy means for its roles, as rows. */

import type { Masking, Policy } from '../policy/policy.ts'
import { type ColumnAccess, type RoleAccess, resolveAccess, type TableAccess } from '../policy/resolve.ts'
import type { Column, Result, Row } from '../types.ts'
import { readDeclared } from './declared.ts'

const text = (name: string): Column => ({ name, type: 'text' })

/** A row a role: what it is, who has it, people and services apart, what it may besides reading. */
export function showRoles({ roles, users }: Policy): Result {
  const holders = (role: string, service: boolean) =>
    users.flatMap((user) => (user.isService === service && user.roles.includes(role) ? user.name : []))
  return {
    columns: [
      ...['role', 'comment', 'inherits', 'users', 'services'].map(text),
      { name: 'min_cell', type: 'integer' },
      { name: 'may_reveal', type: 'boolean' },
    ],
    rows: roles.map(({ name, comment, inherits, minCell, mayReveal }) => [
      name,
      comment,
      inherits.join(', '),
      holders(name, false).join(', '),
      holders(name, true).join(', '),
      minCell ?? null,
      mayReveal,
    ]),
  }
}

/**
 * A row for each column of what the role may read: clear or masked, and which rows are left. A row for each table that it may
 * not read, and for each view, which shows what its tables do.
 * @throws UserError LPA-ROLE-UNKNOWN (usage) with the nearest name
 */
export function showRole(policy: Policy, role: string, user: string): Result {
  const access = resolveAccess(policy, readDeclared('duckdb').tables, role, user)
  return {
    columns: ['table', 'column', 'access', 'shown', 'rows'].map(text),
    rows: access.tables.flatMap((table) => rowsOf(table, access)),
  }
}

function rowsOf(table: TableAccess, { role }: RoleAccess): Row[] {
  if (!table.isGranted) return [[table.name, null, 'not granted', null, null]]
  if (role.minCell !== undefined)
    return [[table.name, null, 'reports only', `counts of ${role.minCell} learners or more`, filterOf(table)]]
  if (table.kind === 'view') return [[table.name, null, 'as its tables', null, null]]
  return table.columns.map((column) => [
    table.name,
    column.name,
    column.mask ? 'masked' : 'clear',
    column.mask ? `${shownAs(column)} (${column.mask.name})` : null,
    filterOf(table),
  ])
}

function filterOf({ filters }: TableAccess): string | null {
  const said = filters.map(
    ({ rule, column, values }) =>
      `${rule.name}: ${column} by ${rule.attribute} ${values.length > 0 ? values.join(', ') : 'of the user'}`,
  )
  return said.length > 0 ? said.join(' and ') : null
}

function shownAs({ mask }: ColumnAccess): string {
  return mask ? SHOWN[mask.masking.how](mask.masking as never) : ''
}

const SHOWN: { readonly [How in Masking['how']]: (masking: Extract<Masking, { how: How }>) => string } = {
  full: () => '***',
  null: () => 'nothing',
  hash: () => 'its SHA-256',
  month: () => 'the first day of its month',
  partial: ({ keep }) => `its first ${keep} characters`,
  band: ({ width }) => `the least number of its band of ${width}`,
}
