/** `--at`: a statement over what its tables held at a time. Snowflake takes the time table by table, and not of a view. */

import { isCode, type SqlToken, sqlTokens } from '../../sql-tokens.ts'
import type { TableDeclaration } from '../../types.ts'

type At = { readonly version: string } | { readonly time: string }

/** Words after a table's name that are no alias of it. */
const NO_ALIAS = new Set(
  `where join inner left right full cross natural asof lateral on using group order having qualify limit fetch offset union
   intersect except minus window sample tablesample pivot unpivot match_recognize connect start select with`.split(
    /\s+/,
  ),
)
/** Words that end a list of tables. */
const NO_TABLES = new Set(
  'where group order having qualify limit fetch offset union intersect except minus window select on'.split(
    ' ',
  ),
)

/**
 * The statement with every table as it was then: `core.t x` becomes `core.t at (timestamp => …) x`, a declared view its
 * SELECT, read the same way. Names of CTEs and functions stay.
 */
export function asOf(statement: string, at: At | undefined, declared: readonly TableDeclaration[]): string {
  if (!at || !('time' in at)) return statement
  // After a T, Snowflake knows offsets with minutes only.
  const clause = ` at (timestamp => '${at.time.replace(/[+-]\d\d$/, '$&:00')}'::timestamp_tz)`
  const views = new Map(
    declared.flatMap(({ kind, name, sql }) =>
      kind === 'view' ? [[name, sql.replace(/^create (?:or replace )?view \S+ as\s+/, '')] as const] : [],
    ),
  )
  return rewritten(statement, clause, views)
}

function rewritten(statement: string, clause: string, views: ReadonlyMap<string, string>): string {
  const tokens = sqlTokens(statement)
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
    if (wantsTable && isName && word !== 'lateral' && word !== 'table' && word !== 'values') {
      const { name, end } = nameAt(tokens, i)
      wantsTable = false
      out += tableThen(tokens, { name, end }, { clause, views, ctes })
      i = end
      continue
    }
    wantsTable = false
    if (word === '(') lists.push(false)
    else if (word === ')') lists.pop()
    else if (word === 'from' || word === 'join') {
      lists[lists.length - 1] = true
      wantsTable = true
    } else if (word === ',' && lists.at(-1)) wantsTable = true
    else if (token.kind === 'word' && NO_TABLES.has(word)) lists[lists.length - 1] = false
    // `extract(year from x)` is a function's own.
    if (word === 'from' && isInExtract(tokens, i)) wantsTable = false
    out += token.text
  }
  return out
}

function tableThen(
  tokens: readonly SqlToken[],
  { name, end }: { name: string; end: number },
  { clause, views, ctes }: { clause: string; views: ReadonlyMap<string, string>; ctes: ReadonlySet<string> },
): string {
  const plain = name.toLowerCase()
  const next = tokens[nextCode(tokens, end + 1)]
  if (next?.text === '(' || ctes.has(plain)) return name
  const view = views.get(plain.includes('.') ? plain : `core.${plain}`)
  if (view === undefined) return name + clause
  const inner = `(${rewritten(view, clause, views)})`
  const hasAlias =
    next !== undefined &&
    (next.kind === 'quoted' || (next.kind === 'word' && !NO_ALIAS.has(next.text.toLowerCase())))
  return hasAlias ? inner : `${inner} ${plain.split('.').at(-1)}`
}

/** `core.learner`, from the token where it begins to the one where it ends. */
function nameAt(tokens: readonly SqlToken[], begin: number): { name: string; end: number } {
  let end = begin
  let name = tokens[begin]?.text ?? ''
  while (tokens[end + 1]?.text === '.' && tokens[end + 2]) {
    name += `.${tokens[end + 2]?.text}`
    end += 2
  }
  return { name, end }
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

function isInExtract(tokens: readonly SqlToken[], from: number): boolean {
  const code = tokens.slice(0, from).filter(isCode)
  return code.at(-2)?.text === '(' && /^(extract|trim)$/i.test(code.at(-3)?.text ?? '')
}

function nextCode(tokens: readonly SqlToken[], from: number): number {
  return tokens.findIndex((token, index) => index >= from && isCode(token))
}
