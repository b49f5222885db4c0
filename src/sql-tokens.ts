/** SQL text as tokens: enough to tell code from strings, quoted names and comments. Knows no grammar. */

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

/**
 * Splits SQL into tokens that, joined, are the text again.
 * @throws Error naming the line of a string, quoted name or comment that is not closed.
 */
export function sqlTokens(sql: string): SqlToken[] {
  const tokens: SqlToken[] = []
  let line = 1
  TOKEN.lastIndex = 0
  for (let match = TOKEN.exec(sql); match !== null && match[0] !== ''; match = TOKEN.exec(sql)) {
    const text = match[0]
    const groups = match.groups ?? {}
    const kind = (Object.keys(groups).find((name) => groups[name] !== undefined) ?? 'mark') as SqlTokenKind
    const opens = text === '/' ? sql.startsWith('/*', match.index) : text === "'" || text === '"'
    if (kind === 'mark' && opens) {
      const what = text === "'" ? 'A string' : text === '"' ? 'A quoted name' : 'A comment'
      throw new Error(`line ${line}: ${what} is not closed.`)
    }
    tokens.push({ kind, text, line })
    line += text.split('\n').length - 1
  }
  return tokens
}

/** Whether a token is neither space nor comment. */
export function isCode(token: SqlToken): boolean {
  return token.kind !== 'space' && token.kind !== 'comment'
}
