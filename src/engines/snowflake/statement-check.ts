/**
 * What `lpa query --sql` may run on Snowflake: one statement that reads. What it may read is the role's to say; a session
 * that only reads there is none.
 */

import { UserError } from '../../errors.ts'
import { isCode, type SqlToken, sqlTokens } from '../../sql-tokens.ts'

const READS = new Set(['select', 'with', 'explain', 'show', 'describe', 'desc', '('])

/** Functions of the system that only tell. */
const TELLS = new Set(
  `clustering_information clustering_depth clustering_ratio estimate_search_optimization_costs
   last_change_commit_time typeof get_predecessor_return_value`.split(/\s+/),
)

/** @throws UserError LPA-QUERY-REFUSED (77) naming what was refused; LPA-QUERY-SQL (usage) for text that is no SQL. */
export function assertOneSelect(statement: string): void {
  const code = codeOf(statement)
  while (code.at(-1)?.text === ';') code.pop()
  const first = code[0]?.text.toLowerCase()
  if (first === undefined) throw refused('There is no statement.')
  if (code.some(({ text }) => text === ';')) throw refused('There is more than one statement.')
  if (!READS.has(first)) throw refused(`${first.toUpperCase()} is not a SELECT.`)
  for (const [index, token] of code.entries()) {
    const word = token.kind === 'word' ? token.text.toLowerCase() : ''
    const next = code[index + 1]
    // WITH may hold a procedure, which CALL runs.
    if (first === 'with' && word === 'procedure' && next?.text === '(') throw refused('A procedure.')
    if (first === 'with' && word === 'call' && next?.kind === 'word') throw refused('CALL.')
    if (word === 'system' && next?.kind === 'parameter' && !TELLS.has(next.text.slice(1).toLowerCase()))
      throw refused(`The function system${next.text}.`)
    if (word === 'nextval') throw refused('A sequence would be moved on.')
  }
}

function codeOf(statement: string): SqlToken[] {
  try {
    return sqlTokens(statement).filter(isCode)
  } catch (cause) {
    throw new UserError('LPA-QUERY-SQL', (cause as Error).message, { exit: 'usage', cause })
  }
}

function refused(what: string): UserError {
  return new UserError('LPA-QUERY-REFUSED', `lpa query reads only. Refused: ${what}`, {
    exit: 'notPermitted',
    next: 'The owner of the warehouse may run any statement: --write',
  })
}
