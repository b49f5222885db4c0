/** What Snowflake tells of roles, grants, tags and policies, as plain data. */

import type { Relation } from './wanted.ts'

/** Names of roles, users and objects are as statements have them. */
export interface SnowflakeState {
  readonly database: string
  readonly warehouse: string | undefined
  readonly hasPolicySchema: boolean
  /** Those of lpa that are there. */
  readonly policyTables: readonly string[]
  readonly relations: readonly Relation[]
  /** All of the account that this role may see. */
  readonly roles: readonly { readonly name: string; readonly comment: string }[]
  /** To the roles of lpa, and to those that the policy calls so. */
  readonly grants: readonly Grant[]
  /** Who has such a role. */
  readonly members: readonly {
    readonly role: string
    readonly to: 'role' | 'user'
    readonly grantee: string
  }[]
  /** In lpa's schemas, and in its database: there `schema` is none. */
  readonly futureGrants: readonly FutureGrant[]
  readonly tags: readonly {
    readonly name: string
    readonly values: readonly string[]
    readonly comment: string
  }[]
  readonly maskingPolicies: readonly DescribedPolicy[]
  readonly rowAccessPolicies: readonly DescribedPolicy[]
  readonly policyUses: readonly PolicyUse[]
  readonly taggings: readonly {
    readonly tag: string
    readonly value: string
    readonly table: string
    readonly column: string | undefined
  }[]
  readonly userValues: readonly (readonly string[])[]
  readonly givenRoles: readonly (readonly string[])[]
  readonly rowRules: readonly (readonly string[])[]
  readonly builders: readonly (readonly string[])[]
  readonly revealers: readonly (readonly string[])[]
}

interface Grant {
  readonly privilege: string
  /** `table`, `schema`, `warehouse`, `role`. */
  readonly on: string
  /** With its database where that is not lpa's. */
  readonly name: string
  readonly isElsewhere: boolean
  readonly role: string
}

interface FutureGrant {
  readonly privilege: string
  readonly on: string
  readonly schema: string | undefined
  readonly role: string
}

interface DescribedPolicy {
  /** `policy.tag_classification_text` */
  readonly name: string
  readonly comment: string
  /** `val varchar` */
  readonly arguments: readonly string[]
  readonly body: string
}

/** Where a policy is: on a tag, on a column of a table, or on a table with columns as its arguments. */
export interface PolicyUse {
  readonly policy: string
  readonly kind: 'masking' | 'row access'
  readonly tag: string | undefined
  readonly table: string | undefined
  readonly columns: readonly string[]
}
