/** Reading as a role of the policy that was applied. */

import type { Config } from '../config.ts'
import { baseName } from '../engines/spark/names.ts'
import { UserError } from '../errors.ts'
import { policyOf } from '../policy/objects.ts'
import type { Policy } from '../policy/policy.ts'
import { type RoleAccess, resolveAccess, rolesOf } from '../policy/resolve.ts'
import { roleViews, sparkRoleViews } from '../policy/role-views.ts'
import type { Engine, Row, SparkRoleViews, TableDeclaration } from '../types.ts'
import { readDeclared } from './declared.ts'
import { ledgerRows } from './ledger.ts'
import { policyUser } from './policy.ts'
import type { OpenExtras } from './warehouse.ts'

/**
 * What a warehouse is opened with to read it as `role`: by the policy that `lpa grant apply` has written there, never by
 * files that whoever asks may write.
 * @throws UserError usage for an engine that has roles of its own
 */
export function readAs(config: Config, role: string): Pick<OpenExtras, 'role'> {
  const { engine, connection } = config.warehouse
  if (engine !== 'duckdb') {
    throw new UserError('LPA-ROLE-ENGINE', `On ${engine} the connection's own role decides what is seen.`, {
      exit: 'usage',
      next: `Name it there: role = "${role}" in the connection${connection === undefined ? '' : ` ${connection}`}.`,
    })
  }
  return {
    async role(objects) {
      const declared = readDeclared('duckdb').tables
      return roleViews(accessOf(objects, declared, role, policyUser(config)), declared)
    },
  }
}

/** The same on Spark, by the policy that was applied to the warehouse whose files it reads. */
export async function readAsOnSpark(config: Config, engine: Engine, role: string): Promise<SparkRoleViews> {
  const declared = readDeclared('spark').tables
  const objects = await ledgerRows(engine, 'policy-objects')
  return sparkRoleViews(accessOf(objects, declared, role, policyUser(config)), declared, baseName)
}

function accessOf(
  objects: readonly Row[],
  declared: readonly TableDeclaration[],
  role: string,
  user: string,
): RoleAccess {
  if (objects.length === 0) throw noPolicy()
  const policy = policyOf(
    objects.map(([kind, name, definition]) => ({
      ...{ kind: String(kind), name: String(name), definition: String(definition) },
    })),
  )
  const access = accessIn(policy, declared, role, user)
  if (!mayTake(policy, user, role)) throw notTheirs(policy, user, role)
  return access
}

/** A role that the policy does not have may be in its files, which count when they are applied. */
function accessIn(...[policy, declared, role, user]: Parameters<typeof resolveAccess>): RoleAccess {
  try {
    return resolveAccess(policy, declared, role, user)
  } catch (error) {
    if (!(error instanceof UserError)) throw error
    const { code, message, exit, next } = error
    throw new UserError(code, message, {
      exit,
      next: [...next, 'If security/*.yaml has it: lpa grant apply'],
      cause: error,
    })
  }
}

/** Whom the policy names has the roles that it says; others hold the files, and may try any. */
function mayTake({ users, roles }: Policy, name: string, role: string): boolean {
  const user = users.find((one) => one.name === name)
  return user === undefined || user.roles.some((one) => rolesOf({ roles }, one).has(role))
}

function notTheirs({ users }: Policy, name: string, role: string): UserError {
  const roles = users.find((one) => one.name === name)?.roles ?? []
  return new UserError('LPA-ROLE-USER', `${name} does not have the role ${role}.`, {
    exit: 'notPermitted',
    next:
      roles.length === 0
        ? `The policy gives ${name} none.`
        : `The policy gives ${name}: ${roles.join(', ')}.`,
  })
}

function noPolicy(): UserError {
  return new UserError('LPA-ROLE-NONE', 'No policy was applied to this warehouse: it has no roles.', {
    exit: 'config',
    next: ['See what it would be: lpa grant plan', 'Apply it: lpa grant apply'],
  })
}
