/**
 * `--at`: a statement over what its tables held at a time. Snowflake takes the time name by name, and not of CTEs. Of views
 * it takes it too, but of nothing before it was made, and `schema apply` makes views anew: so their SELECT is put there.
 */

import { viewBody } from '../../ddl.ts'
import { isCode, type SqlToken, sqlTokens } from '../../sql-tokens.ts'
import type { At, TableDeclaration } from '../../types.ts'

/** Words after a table's name that are no alias of it. */
const NO_ALIAS = new Set(
  `where join inner left right full cross natural asof lateral on using group order having qualify limit fetch offset union
   intersect except minus window sample tablesample pivot unpivot match_recognize connect start select with`.split(
    /\s+/,
  ),
)
/** Words that end a list of tables. */
const NO_TABLES = new Set(
  'where group order having qualify limit fetch offset union intersect except minus window select connect start'.split(
    ' ',
  ),
)
/** What stands where a table might and is none. */
const NO_TABLE = new Set(['lateral', 'table', 'values', 'select', 'with'])

/**
 * The statement with every table as it was then: `core.t x` becomes `core.t at (timestamp => …) x`, a declared view its
 * SELECT, read the same way. Names of CTEs and functions stay. Now and later is as it is.
 */
export function asOf(statement: string, at: At | undefined, declared: readonly TableDeclaration[]): string {
  if (!at || !('time' in at) || Date.parse(at.time.replace(/[+]00$/, 'Z')) >= Date.now()) return statement
  const clause = ` at (timestamp => '${at.time.replace(/([+-]\d\d)$/, '$1:00')}'::timestamp_tz)`
  const views = new Map(
    declared.flatMap((table) => (table.kind === 'view' ? [[table.name, viewBody(table)] as const] : [])),
  )
  return rewritten(statement, clause, views)
}

function rewritten(statement: string, clause: string, views: ReadonlyMap<string, string>): string {
  const tokens = sqlTokens(statement, 'snowflake')
  const ctes = cteNames(tokens)
  /** Whether a comma stands between tables, by depth of brackets. */
  const lists: boolean[] = [false]
  let out = ''
  let wantsTable = false
  for (let i = 0; i < tokens.length; i += 1) {
    const token = tokens[i] as SqlToken
    const word = token.kind === 'word' ? token.text.toLowerCase() : token.text
    if (!isCode(token)) {
      out += token.text
      continue
    }
    const isName = token.kind === 'word' || token.kind === 'quoted'
    if (wantsTable && isName && !NO_TABLE.has(word)) {
      const { name, end } = nameAt(tokens, i)
      wantsTable = false
      out += tableThen(tokens, { name, end }, { clause, views, ctes })
      i = end
      continue
    }
    // `from (a join b)`, and for `from (select` nothing.
    if (word === '(') lists.push(wantsTable)
    else wantsTable = false
    if (word === ')') lists.pop()
    else if ((word === 'from' || word === 'join') && !isOfExpression(tokens, i)) {
      lists[lists.length - 1] = true
      wantsTable = true
    } else if (word === ',' && lists.at(-1)) wantsTable = true
    else if (token.kind === 'word' && NO_TABLES.has(word)) lists[lists.length - 1] = false
    out += token.text
  }
  return out
}

/** Words after a table that says a time of its own. */
const HAS_TIME = new Set(['at', 'before', 'changes'])
const KEEPS_NO_STATES = /(^|\.)(information_schema|account_usage)\./

function tableThen(
  tokens: readonly SqlToken[],
  { name, end }: { name: string; end: number },
  { clause, views, ctes }: { clause: string; views: ReadonlyMap<string, string>; ctes: ReadonlySet<string> },
): string {
  const plain = name.toLowerCase()
  const following = tokens[nextCode(tokens, end + 1)]
  const next = following?.kind === 'word' ? following.text.toLowerCase() : following?.text
  if (next === '(' || ctes.has(plain) || HAS_TIME.has(next ?? '') || KEEPS_NO_STATES.test(plain)) return name
  const view = views.get(plain.includes('.') ? plain : `core.${plain}`)
  if (view === undefined) return name + clause
  const inner = `(${rewritten(view, clause, views)})`
  const hasAlias = following?.kind === 'quoted' || (following?.kind === 'word' && !NO_ALIAS.has(next ?? ''))
  return hasAlias ? inner : `${inner} ${plain.split('.').at(-1)}`
}

/** `core.learner`, from the token where it begins to the one where it ends. */
function nameAt(tokens: readonly SqlToken[], begin: number): { name: string; end: number } {
  let end = begin
  let name = tokens[begin]?.text ?? ''
  for (;;) {
    const dot = nextCode(tokens, end + 1)
    const part = tokens[dot]?.text === '.' ? nextCode(tokens, dot + 1) : -1
    if (part < 0) return { name, end }
    name += `.${tokens[part]?.text}`
    end = part
  }
}

/** `with a as (…), b (x, y) as (…)`: their names hide tables. */
function cteNames(tokens: readonly SqlToken[]): Set<string> {
  const code = tokens.filter(isCode)
  const names = new Set<string>()
  for (const [index, token] of code.entries()) {
    if (token.text.toLowerCase() !== 'as' || code[index + 1]?.text !== '(') continue
    let before = index - 1
    if (code[before]?.text === ')') {
      while (before > 0 && code[before]?.text !== '(') before -= 1
      before -= 1
    }
    const opening = code[before - 1]?.text.toLowerCase()
    if (opening === 'with' || opening === 'recursive' || opening === ',')
      names.add(code[before]?.text.toLowerCase() ?? '')
  }
  return names
}

/** `extract(year from x)`, `a is distinct from b`. */
function isOfExpression(tokens: readonly SqlToken[], from: number): boolean {
  const code = tokens.slice(0, from).filter(isCode)
  const before = (place: number) => code.at(-place)?.text.toLowerCase() ?? ''
  if (before(1) === 'distinct') return before(2) === 'is' || before(2) === 'not'
  return before(2) === '(' && /^(extract|trim)$/.test(before(3))
}

function nextCode(tokens: readonly SqlToken[], from: number): number {
  return tokens.findIndex((token, index) => index >= from && isCode(token))
}
