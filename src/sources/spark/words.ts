/** What stage one asks of Spark, in Spark's words. */

import { quoteText } from '../../duckdb.ts'
import { ASCII_SPACE } from '../values.ts'

/** A text in Spark's SQL, where a backslash is an escape. */
export function sparkText(text: string): string {
  return quoteText(text.replaceAll('\\', '\\\\'))
}

export function sparkName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}

/**
 * The session's views: the lines of a file as `value`; one row with the two pads of the key as `inner` and `outer`, and with the
 * names of JSON that are known, `keys`, of which plans show the name, and not what it holds.
 */
export const VIEWS = { lines: 'lpa_lines', pads: 'lpa_pads' } as const

/** HMAC-SHA256 as it is defined: Spark has sha2 only. */
export function hmacSql(message: string): string {
  const inner = `sha2(concat((select inner from ${VIEWS.pads}), cast(${message} as binary)), 256)`
  return `sha2(concat((select outer from ${VIEWS.pads}), unhex(${inner})), 256)`
}

export function strippedSql(value: string): string {
  return `btrim(${value}, ${ASCII_SPACE})`
}

/** The reference is `pseudonym` in src/pseudonym.ts; a test holds the two together. */
export function pseudonymSql(kind: string, space: string, value: string): string {
  const stripped = strippedSql(value)
  const lower = `translate(${stripped}, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')`
  const message =
    kind === 'email'
      ? `'lpa:v1:email::' || regexp_replace(${lower}, '^mailto:', '')`
      : `'lpa:v1:${kind}:' || coalesce(${space}, '') || ':' || ${stripped}`
  return `case when ${stripped} <> '' then ${hmacSql(message)} end`
}
