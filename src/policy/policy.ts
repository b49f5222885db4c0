/**
 * Who may see what of a warehouse: a policy as `security/*.yaml` declares it, checked, with every name resolved and every
 * list in the order of its names. Pure data; `lpa grant apply` brings a warehouse to it, `--role` reads by it.
 */

/** `core.dim_learner`, or of a column `core.dim_learner.country`. */
export type TableName = string
export type ColumnName = string

export interface Tag {
  readonly name: string
  /** None: any text. */
  readonly values: readonly string[]
  readonly comment: string
}

/** A tag's value on a table, or on one column of it; columns do not take over what their table is tagged with. */
export interface Tagging {
  readonly tag: string
  readonly value: string
  readonly table: TableName
  readonly column?: string
}

/**
 * What is shown in place of a value; a missing one stays missing. `full`: a fixed text. `null`: nothing. `hash`: a SHA-256
 * in hex, equal for equal values. `partial`: the first `keep` characters. `month`: the first day of a date's month.
 * `band`: the least number of the band of `width` that holds the value.
 */
export type Masking =
  | { readonly how: 'full' | 'null' | 'hash' | 'month' }
  | { readonly how: 'partial'; readonly keep: number }
  | { readonly how: 'band'; readonly width: number }

export interface Mask {
  readonly name: string
  readonly masking: Masking
  /** Columns it covers: those tagged so, and those named. A column named by one mask is not covered by another's tag. */
  readonly tagged: readonly { readonly tag: string; readonly value: string }[]
  readonly columns: readonly ColumnName[]
  /** Roles that see clear values; who inherits from one is exempt as well. */
  readonly exempt: readonly string[]
}

/**
 * Rows that some roles see a part of: those whose `column` is among the values that `allowed` selects for the user. Where
 * two rules filter a table for a role, a row has to pass both.
 */
export interface RowRule {
  readonly name: string
  /** Roles whose rows are filtered; who inherits from one is filtered too, unless exempt. */
  readonly roles: readonly string[]
  readonly exempt: readonly string[]
  /** The attribute of users whose values decide: `instructor_id`, `region`. */
  readonly attribute: string
  /**
   * One column of values that rows may have, in portable SQL over base tables; `$values` stands for the user's values, as
   * in `where instructor_id in ($values)`. Without it the user's values are compared themselves.
   */
  readonly allowed?: string
  readonly on: readonly { readonly table: TableName; readonly column: string }[]
}

/** SELECT on what is named, now and, where it is a schema or a tag, on what comes later. */
export type Grant =
  | { readonly kind: 'schema'; readonly schema: string; readonly future: boolean }
  | { readonly kind: 'table'; readonly table: TableName }
  | { readonly kind: 'tag'; readonly tag: string; readonly value: string; readonly future: boolean }
  /** Loads, builds and changes tables of a schema. */
  | { readonly kind: 'write'; readonly schema: string; readonly future: boolean }

export interface Role {
  readonly name: string
  readonly comment: string
  /** Roles whose grants this one has too. */
  readonly inherits: readonly string[]
  readonly grants: readonly Grant[]
  /** Counts of fewer learners are not shown, and only reports are answered; undefined: no such rule. */
  readonly minCell?: number
  /** Whether `lpa query --reveal` may show who a pseudonym is. */
  readonly mayReveal: boolean
}

/** A person or a service account that the engine knows already; lpa makes none. */
export interface User {
  readonly name: string
  /** Said to who reads the policy, and shown apart: it sees what its roles do. */
  readonly isService: boolean
  readonly roles: readonly string[]
  /** What row rules ask: `instructor_id: [i-17]`. */
  readonly attributes: Readonly<Record<string, readonly string[]>>
}

export interface Policy {
  readonly tags: readonly Tag[]
  readonly taggings: readonly Tagging[]
  readonly masks: readonly Mask[]
  readonly rowRules: readonly RowRule[]
  readonly roles: readonly Role[]
  readonly users: readonly User[]
}

/**
 * One thing that a policy makes of a warehouse, as an engine keeps it: two of the same kind and name are alike when their
 * definitions are. What lpa made is told from what others made by `managed`.
 */
export interface PolicyObject {
  /** `role`, `masking policy`, `grant`, `use of a mask`, …: the engine's own kinds. */
  readonly kind: string
  readonly name: string
  /** Canonical; empty where kind and name say all. */
  readonly definition: string
  readonly managed: boolean
}

/** One change, with the statements that make it, in order. */
export interface PolicyStep {
  readonly action: 'add' | 'change' | 'remove'
  readonly kind: string
  readonly name: string
  readonly sql: readonly string[]
}
