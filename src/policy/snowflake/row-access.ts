/**
 * Row access policies: a table takes one, so rules that filter the same table are one policy with an argument each. What a
 * rule allows is looked up in a table that `lpa grant apply` and `lpa batch` fill: a policy that asked the facts itself would
 * ask tables that are filtered in turn, by itself too.
 */

import { expand } from '../../sql-expand.ts'
import { sqlTokens } from '../../sql-tokens.ts'
import type { Policy, RowRule } from '../policy.ts'
import { inSession, typeWord, writtenType } from './masking.ts'
import { ALLOWED_ROWS, text, told, USER_VALUES } from './names.ts'
import { inheritorsOf } from './roles.ts'

/** A rule on a column of a table. */
export interface RuledColumn {
  readonly rule: RowRule
  readonly column: string
  /** Of the information schema. */
  readonly type: string
}

export interface RowAccessPolicy {
  /** Without its schema; policies `of` other rules may be called the same. */
  readonly name: string
  /** `v1 varchar` */
  readonly arguments: readonly string[]
  readonly body: string
}

const rulesOn = (ruled: readonly RuledColumn[], column: string) =>
  ruled.flatMap((one) => (one.column === column ? one.rule.name : []))

/** The policy of a table on which these rules are: an argument a column, however many rules look at it. */
export function rowAccessPolicy(
  policy: Policy,
  ruled: readonly RuledColumn[],
  database: string,
): RowAccessPolicy & { readonly of: string; readonly columns: readonly string[] } {
  const columns = [...new Set(ruled.map(({ column }) => column))]
  const names = columns.map((column) => {
    const type = ruled.find((one) => one.column === column)?.type ?? ''
    return [...rulesOn(ruled, column), typeWord(type)].join('_')
  })
  const typeOf = (column: string) => writtenType(ruled.find((one) => one.column === column)?.type ?? '')
  return {
    name: `rows_${names.join('_and_')}`,
    of: JSON.stringify(columns.map((column) => [typeOf(column), ...rulesOn(ruled, column)])),
    arguments: columns.map((column, index) => `${argument(index)} ${typeOf(column)}`),
    body: ruled
      .map(({ rule, column }) => ruleBody(policy, rule, argument(columns.indexOf(column)), database))
      .join(' and '),
    columns,
  }
}

/** Rows that both policies show: what holds while the rest is changed around it. */
export function strictRows(live: string, wanted: string): string {
  return `(${live}) and (${wanted})`
}

/** The rows of two policies with arguments of their own. */
export function bothPolicies(
  live: Omit<RowAccessPolicy, 'name'>,
  wanted: Omit<RowAccessPolicy, 'name'>,
): Omit<RowAccessPolicy, 'name'> {
  const later = (text: string) =>
    text.replace(/'(?:[^'\\]|\\.|'')*'|\bv(\d+)\b/gs, (whole, index) =>
      index === undefined ? whole : argument(Number(index) - 1 + live.arguments.length),
    )
  return {
    arguments: [...live.arguments, ...wanted.arguments.map(later)],
    body: strictRows(live.body, later(wanted.body)),
  }
}

const argument = (index: number) => `v${index + 1}`

function ruleBody(policy: Policy, rule: RowRule, column: string, database: string): string {
  const filtered = inSession([...inheritorsOf(policy, rule.roles)])
  const exempt = inSession([...inheritorsOf(policy, rule.exempt)])
  const where =
    rule.allowed === undefined
      ? `${USER_VALUES} where attribute = ${text(rule.attribute)}`
      : `${ALLOWED_ROWS} where rule_name = ${text(rule.name)}`
  const conditions = [
    ...(filtered ? [`not (${filtered})`] : []),
    ...(exempt ? [exempt] : []),
    // A policy is asked from wherever a session is: names have their database.
    `${column}::varchar in (select value from ${told(database)}.${where} and user_name = current_user())`,
  ]
  return `(${conditions.join(' or ')})`
}

/** A rule whose values are selected, as `policy.row_rules` keeps it. */
export interface SelectingRule {
  readonly name: string
  readonly attribute: string
  /** As `allowedText` made it. */
  readonly allowed: string
}

/** `$values` would be a variable of the session: `@values` stands for the user's. */
export function allowedText(allowed: string): string {
  return sqlTokens(expand(allowed, 'snowflake'), 'snowflake')
    .map(({ kind, text }) => (kind === 'parameter' && text === '$values' ? '@values' : text))
    .join('')
}

/** Users of one statement. */
const USERS_AT_ONCE = 50

/** The statements that find anew which rows each user may see by rules that select them: by all there are, or by some. */
export function fillAllowedRows(
  rules: readonly SelectingRule[],
  userValues: readonly { readonly user: string; readonly attribute: string }[],
  areAll: boolean,
): string[] {
  const inserts = rules.flatMap((rule) => {
    const users = new Set(
      userValues.filter(({ attribute }) => attribute === rule.attribute).map(({ user }) => user),
    )
    const selects = [...users].map((user) => allowedTo(rule, user))
    const statements: string[] = []
    for (let first = 0; first < selects.length; first += USERS_AT_ONCE)
      statements.push(
        `insert into ${ALLOWED_ROWS} ${selects.slice(first, first + USERS_AT_ONCE).join(' union all ')}`,
      )
    return statements
  })
  const names = rules.map(({ name }) => text(name)).join(', ')
  return [`delete from ${ALLOWED_ROWS}${areAll ? '' : ` where rule_name in (${names})`}`, ...inserts]
}

function allowedTo({ name, attribute, allowed }: SelectingRule, user: string): string {
  const values = `select value from ${USER_VALUES} where user_name = ${text(user)} and attribute = ${text(attribute)}`
  const select = allowed.replaceAll(/'(?:[^'\\]|\\.|'')*'|@values\b/gs, (found) =>
    found === '@values' ? values : found,
  )
  return `select distinct ${text(name)}, ${text(user)}, t.value::varchar from (${select}) as t (value) where t.value is not null`
}
