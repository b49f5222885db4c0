/** Who inherits from whom. */

import type { Grant, Policy, Role } from '../policy.ts'

/**
 * The roles, and all that inherit from one of them. Policies name them all, so that what they do does not change while
 * roles are taken from roles.
 */
export function inheritorsOf(policy: Policy, roles: readonly string[]): ReadonlySet<string> {
  const found = new Set(roles)
  for (let before = -1; before !== found.size; ) {
    before = found.size
    for (const { name, inherits } of policy.roles)
      if (inherits.some((role) => found.has(role))) found.add(name)
  }
  return found
}

/**
 * A role whose counts of few learners are hidden gets no table in Snowflake, which knows no such rule; nor may it get one
 * by a role that it inherits from.
 */
export function hasTables({ minCell }: Role): boolean {
  return minCell === undefined
}

/** What a role is granted by itself in Snowflake: also what it inherits from roles that get no tables there. */
export function ownGrants(policy: Policy, role: Role): readonly Grant[] {
  if (!hasTables(role)) return []
  const byName = new Map(policy.roles.map((one) => [one.name, one]))
  const grants = [...role.grants]
  const seen = new Set<string>()
  const left = [...role.inherits]
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    const inherited = byName.get(name)
    if (!inherited || hasTables(inherited) || seen.has(name)) continue
    seen.add(name)
    grants.push(...inherited.grants)
    left.push(...inherited.inherits)
  }
  return grants
}

/** The roles that a role is given in Snowflake. */
export function ownRoles(policy: Policy, role: Role): readonly string[] {
  if (!hasTables(role)) return []
  const byName = new Map(policy.roles.map((one) => [one.name, one]))
  const given = new Set<string>()
  const seen = new Set<string>()
  const left = [...role.inherits]
  for (let name = left.pop(); name !== undefined; name = left.pop()) {
    if (seen.has(name)) continue
    seen.add(name)
    const inherited = byName.get(name)
    if (!inherited) continue
    if (hasTables(inherited)) given.add(name)
    else left.push(...inherited.inherits)
  }
  return [...given].sort()
}
