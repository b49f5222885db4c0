/**
 * What `lpa query --sql` may run on Snowflake: one statement that reads. What it may read, and which functions of others
 * it may call, is the role's to say; a session that only reads there is none.
 */

import { UserError } from '../../errors.ts'
import { isCode, type SqlToken, sqlTokens } from '../../sql-tokens.ts'

const READS = new Set(['select', 'with', 'explain', 'show', 'describe', 'desc'])

const VERBS = new Set(['call', 'insert', 'update', 'delete', 'merge'])

/** Functions of the system that only tell. */
const TELLS = new Set(
  `clustering_depth clustering_information clustering_ratio estimate_automatic_clustering_costs
   estimate_query_acceleration estimate_search_optimization_costs explain_json_to_text explain_plan_json
   last_change_commit_time typeof`.split(/\s+/),
)

/** Functions that move a sequence on. */
const SEQUENCE = new Set(['nextval', 'getnextval'])

/** Where a comment might end for one reader and not for another, its end would hide or show a statement. */
const UNCLEAR_END = /\r(?!\n)|[\v\f\u0085\u2028\u2029]/

/** @throws UserError LPA-QUERY-REFUSED (77) naming what was refused; LPA-QUERY-SQL (usage) for text that is no SQL. */
export function assertOneSelect(statement: string): void {
  const code = codeOf(statement)
  while (code.at(-1)?.text === ';') code.pop()
  const first = code.find(({ text }) => text !== '(')?.text.toLowerCase()
  if (first === undefined) throw refused('There is no statement.')
  if (code.some(({ text }) => text === ';')) throw refused('There is more than one statement.')
  // `select … ->> delete …`: statements that hand their rows on.
  if (code.some(({ text }) => text === '->>')) throw refused('There is more than one statement: ->>')
  if (!READS.has(first)) throw refused(`${first.toUpperCase()} is not a SELECT.`)
  for (const [index, token] of code.entries()) {
    const name = nameOf(token)
    const next = code[index + 1]
    if (name === undefined || next === undefined) continue
    // WITH may hold a procedure, which CALL runs.
    if (name === 'procedure' && next.text === '(') throw refused('A procedure.')
    // What WITH names, these may use.
    if (first === 'with' && token.kind === 'word' && VERBS.has(name) && nameOf(next) !== undefined)
      throw refused(`${name.toUpperCase()}.`)
    if (name.startsWith('system$') && !TELLS.has(name.slice('system$'.length)))
      throw refused(`The function ${name}.`)
    // `identifier('system$…')(1)`: a function by a name that is not to be seen here.
    if (name === 'identifier' && next.text === '(' && isCalled(code, index + 1))
      throw refused('A function whose name is a text.')
  }
  if (code.some((token) => SEQUENCE.has(nameOf(token) ?? ''))) throw refused('A sequence would be moved on.')
}

/** Unquoted names are the same in any case, and quoted ones in capitals are the same as they. */
function nameOf({ kind, text }: SqlToken): string | undefined {
  if (kind === 'word') return text.toLowerCase()
  return kind === 'quoted' ? text.slice(1, -1).toLowerCase() : undefined
}

/** Whether another bracket follows the one that opens here. */
function isCalled(code: readonly SqlToken[], opening: number): boolean {
  let depth = 0
  for (let i = opening; i < code.length; i += 1) {
    if (code[i]?.text === '(') depth += 1
    else if (code[i]?.text === ')') depth -= 1
    if (depth === 0) return code[i + 1]?.text === '('
  }
  return false
}

function codeOf(statement: string): SqlToken[] {
  let tokens: SqlToken[]
  try {
    tokens = sqlTokens(statement, 'snowflake')
  } catch (cause) {
    throw new UserError('LPA-QUERY-SQL', (cause as Error).message, { exit: 'usage', cause })
  }
  const unclear = tokens.find(
    ({ kind, text }) => kind === 'comment' && (UNCLEAR_END.test(text) || text.slice(2).includes('/*')),
  )
  if (unclear) throw refused(`line ${unclear.line}: a comment whose end is not clear.`)
  return tokens.filter(isCode)
}

function refused(what: string): UserError {
  return new UserError('LPA-QUERY-REFUSED', `lpa query reads only. Refused: ${what}`, {
    exit: 'notPermitted',
    next: 'The owner of the warehouse may run any statement: --write',
  })
}
