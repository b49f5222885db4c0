/**
 * Masking policies: one for each mask and type of its columns, and one for each tag and type, since a tag takes only one
 * policy a type: it looks at the tag's value.
 */

import type { Mask, Masking, Policy } from '../policy.ts'
import { identifier, POLICY_SCHEMA, qualified, stored, text, told } from './names.ts'
import { inheritorsOf } from './roles.ts'

/** The argument of every masking policy. */
const VALUE = 'val'

/** What `full` shows. */
const HIDDEN = "'***'"

/** What is shown of a value of a type of the information schema; a missing one stays missing. */
function masked(masking: Masking, type: string): string {
  const isText = type === 'text'
  switch (masking.how) {
    case 'null':
      return 'null'
    case 'full':
      return isText ? `iff(${VALUE} is null, null, ${HIDDEN})` : 'null'
    case 'hash':
      return isText ? `sha2(${VALUE}, 256)` : 'null'
    case 'partial':
      return isText ? `left(${VALUE}, ${masking.keep})` : 'null'
    case 'month':
      return type === 'date' || type.startsWith('timestamp') ? `date_trunc('month', ${VALUE})` : 'null'
    case 'band':
      return isNumber(type) ? `floor(${VALUE} / ${masking.width}) * ${masking.width}` : 'null'
  }
}

function isNumber(type: string): boolean {
  return type.startsWith('number') || type === 'float'
}

/** The arm of a CASE: its condition besides that nobody in the session is exempt. */
function arm(policy: Policy, { masking, exempt }: Mask, type: string, condition?: string): string {
  const nobody = inSession([...inheritorsOf(policy, exempt)])
  const conditions = [...(condition ? [condition] : []), ...(nobody ? [`not (${nobody})`] : [])]
  const shown = masked(masking, type)
  return conditions.length === 0 ? `else ${shown}` : `when ${conditions.join(' and ')} then ${shown}`
}

/** Of a policy on a column. */
export function columnBody(policy: Policy, mask: Mask, type: string): string {
  const only = arm(policy, mask, type)
  return only.startsWith('else') ? masked(mask.masking, type) : `case ${only} else ${VALUE} end`
}

/** Of a policy on a tag, which is in `database`. */
export function tagBody(policy: Policy, tag: string, type: string, database: string): string {
  const name = text([told(database), ...[POLICY_SCHEMA, tag].map(identifier)].join('.'))
  const arms = policy.masks.flatMap((mask) =>
    mask.tagged
      .filter((tagged) => tagged.tag === tag)
      .map(({ value }) =>
        arm(policy, mask, type, `system$get_tag_on_current_column(${name}) = ${text(value)}`),
      ),
  )
  return `case ${arms.join(' ')} else ${VALUE} end`
}

/** A value that both policies show as it is, and nothing else: what holds while the rest is changed around it. */
export function strictBody(live: string, wanted: string): string {
  return `case when (${live}) is not distinct from ${VALUE} and (${wanted}) is not distinct from ${VALUE} then ${VALUE} end`
}

/** Whether the session has one of the roles, by itself or by those that inherit from it; empty for none. */
export function inSession(roles: readonly string[]): string {
  return [...roles]
    .sort()
    .map((role) => `is_role_in_session(${text(stored(role))})`)
    .join(' or ')
}

/** `text`, `number_9_2`: of types what tells policies of one name apart. */
export function typeWord(type: string): string {
  if (type === 'number(38,0)') return 'number'
  return type.replaceAll(/[^a-z0-9]+/g, '_').replace(/_$/, '')
}

/** A type of the information schema as a policy's signature has it. */
export function writtenType(type: string): string {
  return type === 'text' ? 'varchar' : type
}

export const columnPolicyName = (mask: string, type: string) =>
  qualified(`${POLICY_SCHEMA}.mask_${mask}_${typeWord(type)}`)

export const tagPolicyName = (tag: string, type: string) =>
  qualified(`${POLICY_SCHEMA}.tag_${tag}_${typeWord(type)}`)
