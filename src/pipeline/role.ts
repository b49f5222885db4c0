/** Reading as a role of the policy that was applied. */

import type { Config } from '../config.ts'
import { UserError } from '../errors.ts'
import { policyOf } from '../policy/objects.ts'
import { resolveAccess } from '../policy/resolve.ts'
import { roleViews } from '../policy/role-views.ts'
import { readDeclared } from './declared.ts'
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
      if (objects.length === 0) throw noPolicy()
      const policy = policyOf(
        objects.map(([kind, name, definition]) => ({
          ...{ kind: String(kind), name: String(name), definition: String(definition) },
        })),
      )
      const declared = readDeclared('duckdb').tables
      return roleViews(resolveAccess(policy, declared, role, policyUser(config)), declared)
    },
  }
}

function noPolicy(): UserError {
  return new UserError('LPA-ROLE-NONE', 'No policy was applied to this warehouse: it has no roles.', {
    exit: 'config',
    next: ['See what it would be: lpa grant plan', 'Apply it: lpa grant apply'],
  })
}
