/** Row access policies: a table takes one, so rules that filter the same table are one policy with an argument each. */

import { expand } from '../../sql-expand.ts'
import { isCode, sqlTokens } from '../../sql-tokens.ts'
import type { Policy, RowRule } from '../policy.ts'
import { inSession, typeWord, writtenType } from './masking.ts'
import { POLICY_SCHEMA, qualified, text, USER_VALUES } from './names.ts'
import { inheritorsOf } from './roles.ts'

/** A rule on a column of a table. */
export interface RuledColumn {
  readonly rule: RowRule
  readonly column: string
  /** Of the information schema. */
  readonly type: string
}

export interface RowAccessPolicy {
  readonly name: string
  /** `v1 varchar` */
  readonly arguments: readonly string[]
  readonly body: string
}

const SCHEMAS: ReadonlySet<string> = new Set(['raw', 'staging', 'core', 'meta'])

/** The policy of a table on which these rules are, in the order of their names. */
export function rowAccessPolicy(
  policy: Policy,
  ruled: readonly RuledColumn[],
  database: string,
): RowAccessPolicy {
  const names = ruled.map(({ rule, type }) => `${rule.name}_${typeWord(type)}`)
  return {
    name: qualified(`${POLICY_SCHEMA}.rows_${names.join('_and_')}`),
    arguments: ruled.map(({ type }, index) => `${argument(index)} ${writtenType(type)}`),
    body: ruled.map(({ rule }, index) => ruleBody(policy, rule, argument(index), database)).join(' and '),
  }
}

/** Rows that both policies show: what holds while the rest is changed around it. */
export function strictRows(live: string, wanted: string): string {
  return `(${live}) and (${wanted})`
}

const argument = (index: number) => `v${index + 1}`

function ruleBody(policy: Policy, rule: RowRule, column: string, database: string): string {
  const filtered = inSession([...inheritorsOf(policy, rule.roles)])
  const exempt = inSession([...inheritorsOf(policy, rule.exempt)])
  const conditions = [
    ...(filtered ? [`not (${filtered})`] : []),
    ...(exempt ? [exempt] : []),
    rule.allowed === undefined
      ? `${column}::varchar in (${valuesOfUser(rule, database)})`
      : `${column} in (${allowedValues(rule.allowed, valuesOfUser(rule, database), database)})`,
  ]
  return `(${conditions.join(' or ')})`
}

function valuesOfUser({ attribute }: RowRule, database: string): string {
  return `select value from ${database}.${USER_VALUES} where user_name = current_user() and attribute = ${text(attribute)}`
}

/** Names of tables are said with their database: a policy is asked from wherever a session is. */
function allowedValues(sql: string, values: string, database: string): string {
  const tokens = sqlTokens(expand(sql, 'snowflake').trim().replace(/;$/, ''), 'snowflake')
  const code = tokens.filter(isCode)
  return tokens
    .map((token) => {
      if (token.text === '$values') return values
      const at = code.indexOf(token)
      const isSchema =
        SCHEMAS.has(token.text.toLowerCase()) && code[at + 1]?.text === '.' && code[at - 1]?.text !== '.'
      return isSchema ? `${database}.${token.text}` : token.text
    })
    .join('')
}
