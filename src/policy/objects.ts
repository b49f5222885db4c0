/** A policy as the embedded engine keeps it: a row of `meta.policy_objects` for each of its parts, and back. */

import type { Mask, Policy, PolicyObject, Role, RowRule, Tag, Tagging, User } from './policy.ts'

/** One object for each tag, tagging, mask, row rule, role and user; alike when their definitions are. */
export function wantedObjects(policy: Policy): PolicyObject[] {
  return [
    ...policy.tags.map((tag) => objectOf('tag', tag.name, tag)),
    ...policy.taggings.map((tagging) => objectOf('tagging', taggingName(tagging), tagging)),
    ...policy.masks.map((mask) => objectOf('mask', mask.name, mask)),
    ...policy.rowRules.map((rule) => objectOf('row rule', rule.name, rule)),
    ...policy.roles.map((role) => objectOf('role', role.name, role)),
    ...policy.users.map((user) => objectOf('user', user.name, user)),
  ]
}

/** The policy that these objects were made of. */
export function policyOf(objects: readonly Pick<PolicyObject, 'kind' | 'name' | 'definition'>[]): Policy {
  const all = <T>(kind: string) =>
    objects
      .filter((object) => object.kind === kind)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ definition }) => JSON.parse(definition) as T)
  return {
    tags: all<Tag>('tag'),
    taggings: all<Tagging>('tagging'),
    masks: all<Mask>('mask'),
    rowRules: all<RowRule>('row rule'),
    roles: all<Role>('role'),
    users: all<User>('user'),
  }
}

/** `classification on core.dim_learner.country` */
export function taggingName({ tag, table, column }: Tagging): string {
  return `${tag} on ${column === undefined ? table : `${table}.${column}`}`
}

function objectOf(kind: string, name: string, definition: object): PolicyObject {
  return { kind, name, definition: canonicalJson(definition), managed: true }
}

/** The same text for the same content, whatever the order of its keys. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const entries = Object.entries(value)
    .filter(([, part]) => part !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, part]) => `${JSON.stringify(key)}:${canonicalJson(part)}`).join(',')}}`
}
