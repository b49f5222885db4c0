/** SQL text as tokens: enough to tell code from strings, quoted names and comments. Knows no grammar. */

import type { Dialect } from './types.ts'

export type SqlTokenKind =
  | 'word'
  | 'number'
  | 'string'
  | 'quoted'
  | 'comment'
  | 'space'
  | 'parameter'
  | 'mark'

export interface SqlToken {
  readonly kind: SqlTokenKind
  readonly text: string
  /** Line in the text, from 1. */
  readonly line: number
}

// One alternative a kind, in this order. A doubled quote inside quotes is the quote itself.
const TOKEN =
  /(?<space>\s+)|(?<comment>--[^\n]*|\/\*[\s\S]*?\*\/)|(?<string>'(?:[^']|'')*')|(?<quoted>"(?:[^"]|"")*")|(?<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?<parameter>\$\w+)|(?<word>[\p{L}_][\p{L}\p{N}_]*)|(?<mark><=|>=|<>|!=|\|\||::|=>|->>|->|[\s\S])/uy

/** Snowflake: a backslash escapes in strings, `$$` quotes too, `//` is a comment, and names may hold `$`. */
const SNOWFLAKE_TOKEN =
  /(?<space>\s+)|(?<comment>(?:--|\/\/)[^\n]*|\/\*[\s\S]*?\*\/)|(?<string>'(?:[^'\\]|\\[\s\S]|'')*'|\$\$[\s\S]*?\$\$)|(?<quoted>"(?:[^"]|"")*")|(?<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?<parameter>\$\w+)|(?<word>[\p{L}_][\p{L}\p{N}_$]*)|(?<mark><=|>=|<>|!=|\|\||::|=>|->>|->|[\s\S])/uy

const OPENED: Readonly<Record<string, string>> = {
  "'": 'A string',
  '"': 'A quoted name',
  '/*': 'A comment',
  $$: 'A string',
}

/**
 * Splits SQL into tokens that, joined, are the text again. Portable text is the same to all dialects.
 * @throws Error naming the line of a string, quoted name or comment that is not closed.
 */
export function sqlTokens(sql: string, dialect: Dialect = 'duckdb'): SqlToken[] {
  const isSnowflake = dialect === 'snowflake'
  const pattern = isSnowflake ? SNOWFLAKE_TOKEN : TOKEN
  const tokens: SqlToken[] = []
  let line = 1
  pattern.lastIndex = 0
  for (let match = pattern.exec(sql); match !== null && match[0] !== ''; match = pattern.exec(sql)) {
    const text = match[0]
    const groups = match.groups ?? {}
    const kind = (Object.keys(groups).find((name) => groups[name] !== undefined) ?? 'mark') as SqlTokenKind
    const two = sql.slice(match.index, match.index + 2)
    const what = OPENED[two === '/*' || (isSnowflake && two === '$$') ? two : text]
    if (kind === 'mark' && what) throw new Error(`line ${line}: ${what} is not closed.`)
    tokens.push({ kind, text, line })
    line += text.split('\n').length - 1
  }
  return tokens
}

/** Whether a token is neither space nor comment. */
export function isCode(token: SqlToken): boolean {
  return token.kind !== 'space' && token.kind !== 'comment'
}
