/**
 * What a user's SQL may be on Spark: one SELECT over tables that are known by name. Nobody but Spark knows Spark's grammar, so
 * what is read here is a part of it in which each place that could name a table is seen, and all else is refused.
 */

import { nearest } from '../../did-you-mean.ts'
import { UserError } from '../../errors.ts'
import { isCode, type SqlToken, sqlTokens } from '../../sql-tokens.ts'
import type { RoleTraits } from '../../types.ts'
import { viewName } from './names.ts'
import { isFunctionAllowed } from './statement-functions.ts'

export interface Readable {
  /** All that may be named: `core.fact_enrollment`, also without `core`. */
  readonly tables: readonly string[]
  readonly role?: Pick<RoleTraits, 'role'> | undefined
}

export interface CheckedStatement {
  /** What is read, as `core.fact_enrollment`. */
  readonly tables: ReadonlySet<string>
  /** The statement without comments, its tables called as the views of a session. */
  readonly sql: string
}

/** @throws UserError LPA-QUERY-REFUSED (77) naming what was refused; LPA-QUERY-SQL (usage) for text that is no SQL. */
export function checkStatement(sql: string, readable: Readable): CheckedStatement {
  return new Statement(sql, readable).checked()
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/))

const MARKS = words('( ) , . + - * / % = < > <= >= <> != || :: -> [ ]')
/** They name tables, or statements, in ways of their own. */
const FORBIDDEN = words(
  'table stream identifier lateral pivot unpivot recursive execute match_recognize tablesample',
)
const QUERIES = words('select with')
const SET_OPERATORS = words('union except minus intersect')
const JOINS = words('join inner cross left right full semi anti outer natural')
/** After FROM, in which no comma can be but one that Spark would take for another table's, were the word an alias. */
const CONDITIONS = words('where having qualify limit offset')
const LISTS = words('group order')
const ENDS_TABLE = new Set([
  ...SET_OPERATORS,
  ...JOINS,
  ...CONDITIONS,
  ...LISTS,
  'on',
  'using',
  'from',
  'select',
])
/** Unquoted they are no names here: who reads `select a as from from secret` must not take the first for the clause. */
const RESERVED = new Set([...ENDS_TABLE, ...words('as by with values')])
/** Words after which a bracket is no call. */
const BEFORE_BRACKET = words(
  'and any all as between by case distinct else exists in is like not on or select some then values when where having qualify',
)
/** A call in which FROM is not a clause. */
const FROM_IN_CALL = words('extract trim substring overlay')

interface Within {
  readonly commas: boolean
  /** FROM is a word like others: of `extract(year from …)`. */
  readonly from?: boolean
  /** ORDER BY, GROUP BY and WHERE are: of `over (…)`, `filter (…)`. */
  readonly clauses?: boolean
}

class Statement {
  readonly #tokens: readonly SqlToken[]
  /** Of its code. */
  readonly #places: readonly number[]
  readonly #readable: Readable
  readonly #tables = new Set<string>()
  readonly #renamed = new Map<number, string>()
  /** Names of WITH that a table may have here. */
  #scope: string[] = []
  #at = 0

  constructor(sql: string, readable: Readable) {
    this.#readable = readable
    this.#tokens = tokensOf(sql)
    this.#places = this.#tokens.flatMap((token, place) => (isCode(token) ? [place] : []))
  }

  checked(): CheckedStatement {
    if (this.#places.length === 0) throw refused('There is no statement.')
    this.#query()
    if (this.#at < this.#places.length) throw this.#unknown()
    const text = this.#tokens.map((token, place) => {
      const renamed = this.#renamed.get(place)
      return token.kind === 'comment' ? ' ' : (renamed ?? token.text)
    })
    return { tables: this.#tables, sql: text.join('') }
  }

  #token(ahead = 0): SqlToken | undefined {
    return this.#tokens[this.#places[this.#at + ahead] ?? -1]
  }

  /** A word in lower case, a mark as it is; of strings, numbers and quoted names nothing. */
  #word(ahead = 0): string {
    const { kind, text = '' } = this.#token(ahead) ?? {}
    if (kind === 'mark') return text
    return kind === 'word' ? text.toLowerCase() : ''
  }

  #accept(...expected: readonly string[]): boolean {
    if (!expected.every((word, index) => this.#word(index) === word)) return false
    this.#at += expected.length
    return true
  }

  #expect(...expected: readonly string[]): void {
    if (!this.#accept(...expected)) throw this.#unknown()
  }

  #unknown(): UserError {
    const token = this.#token()
    return refused(token ? `line ${token.line}: ${token.text} is not known here.` : 'It ends too early.')
  }

  #query(): void {
    const before = this.#scope.length
    if (this.#accept('with')) {
      do {
        const name = this.#name()
        if (this.#accept('(')) this.#names()
        this.#expect('as', '(')
        this.#query()
        this.#expect(')')
        // It sees those before it, not itself.
        this.#scope.push(name)
      } while (this.#accept(','))
    }
    do this.#term()
    while (this.#setOperator())
    this.#clauses()
    this.#scope.length = before
  }

  #setOperator(): boolean {
    if (!SET_OPERATORS.has(this.#word())) return false
    this.#at += 1
    if (!this.#accept('all')) this.#accept('distinct')
    return true
  }

  #term(): void {
    if (this.#accept('(')) {
      this.#query()
      this.#expect(')')
      return
    }
    this.#expect('select')
    this.#expressions({ commas: true })
    if (this.#accept('from')) this.#from()
    this.#clauses()
  }

  #from(): void {
    do {
      this.#relation()
      while (JOINS.has(this.#word())) this.#join()
    } while (this.#accept(','))
  }

  #join(): void {
    while (JOINS.has(this.#word()) && this.#word() !== 'join') this.#at += 1
    this.#expect('join')
    this.#relation()
    if (this.#accept('on')) this.#expressions({ commas: false })
    else if (this.#accept('using', '(')) this.#names()
  }

  #relation(): void {
    if (this.#accept('(')) {
      if (this.#isQuery()) this.#query()
      else this.#from()
      this.#expect(')')
      this.#alias()
      return
    }
    const place = this.#places[this.#at] ?? -1
    const parts = [this.#name()]
    while (this.#accept('.')) parts.push(this.#name())
    if (this.#word() === '(') throw this.#unknown()
    const last = this.#places[this.#at - 1] ?? -1
    const hasAlias = this.#alias()
    if (parts.length === 1 && this.#scope.includes(parts[0] ?? '')) return
    const table = this.#table(parts)
    this.#tables.add(table)
    const [schema, name] = table.split('.')
    const alias = hasAlias || schema === 'core' ? '' : ` as ${name}`
    for (let one = place; one <= last; one += 1) this.#renamed.set(one, '')
    this.#renamed.set(place, `${viewName(table)}${alias}`)
  }

  #table(parts: readonly string[]): string {
    const { tables, role } = this.#readable
    const shown = parts.join('.')
    const table = parts.length === 1 ? `core.${shown}` : shown
    if (tables.includes(table)) return table
    const names = tables.map((name) => name.replace(/^core\./, ''))
    const what = role ? `${shown}, or the role ${role.role} may not read it` : shown
    throw new UserError('LPA-QUERY-REFUSED', `There is no table ${what}.`, {
      exit: 'notPermitted',
      next: nearest(shown, names, 'It reads'),
    })
  }

  /** Whether one follows that is not a word of a clause. */
  #alias(): boolean {
    const isSaid = this.#accept('as')
    const { kind } = this.#token() ?? {}
    const isAlias = (kind === 'word' || kind === 'quoted') && !ENDS_TABLE.has(this.#word())
    if (!isAlias) {
      if (isSaid) throw this.#unknown()
      return false
    }
    this.#name()
    if (this.#accept('(')) this.#names()
    return true
  }

  /** Names up to the bracket that closes. */
  #names(): void {
    do this.#name()
    while (this.#accept(','))
    this.#expect(')')
  }

  #name(): string {
    const { kind, text = '' } = this.#token() ?? {}
    const name = kind === 'quoted' ? text.slice(1, -1) : kind === 'word' ? text : ''
    if (!/^[A-Za-z_]\w*$/.test(name) || RESERVED.has(this.#word())) throw this.#unknown()
    this.#at += 1
    return name.toLowerCase()
  }

  #clauses(): void {
    for (;;) {
      const word = this.#word()
      if (!CONDITIONS.has(word) && !LISTS.has(word)) return
      this.#at += 1
      if (LISTS.has(word)) this.#expect('by')
      this.#expressions({ commas: LISTS.has(word) })
    }
  }

  /** Up to what ends them, which is left. */
  #expressions(within: Within): void {
    let mayFrom = within.from ?? false
    for (; this.#at < this.#places.length; this.#at += 1) {
      const word = this.#word()
      if (word === ')') return
      if (word === ',' && !within.commas) return
      if (word === '(') {
        this.#bracket()
        continue
      }
      const isClause = word === 'where' || LISTS.has(word)
      const isWithin = (word === 'from' && mayFrom) || (isClause && within.clauses)
      if (word === 'from') mayFrom = false
      if (ENDS_TABLE.has(word) && !isWithin && !this.#isCall() && !this.#isWithinGroup()) return
      if (QUERIES.has(word)) throw this.#unknown()
    }
  }

  /** `left(…)`, `right(…)` */
  #isCall(): boolean {
    return this.#word(1) === '(' && isFunctionAllowed(this.#word())
  }

  /** `within group (order by …)` */
  #isWithinGroup(): boolean {
    return this.#word() === 'group' && this.#word(-1) === 'within'
  }

  /** At one that opens; ends at the one that closes it. */
  #bracket(): void {
    const before = this.#word(-1)
    const isQuoted = this.#token(-1)?.kind === 'quoted'
    const isWord = this.#token(-1)?.kind === 'word'
    const isGroup = before === 'group' && this.#word(-2) === 'within'
    const isWindow = before === 'over' || before === 'filter' || isGroup
    const isCall = isWord && !isWindow && !BEFORE_BRACKET.has(before)
    if (isQuoted || (isCall && (this.#word(-2) === '.' || !isFunctionAllowed(before))))
      throw refused(
        `${this.#token(-1)?.text}() is not among the functions that compute from their arguments.`,
      )
    this.#at += 1
    if (!isCall && !isWindow && QUERIES.has(this.#word())) this.#query()
    else this.#expressions({ commas: true, from: isCall && FROM_IN_CALL.has(before), clauses: isWindow })
    if (this.#word() !== ')') throw this.#unknown()
  }

  /** Behind brackets that open. */
  #isQuery(): boolean {
    let ahead = 0
    while (this.#word(ahead) === '(') ahead += 1
    return QUERIES.has(this.#word(ahead))
  }
}

/** Tokens that Spark takes for the same: where the two might differ, a table could hide. */
function tokensOf(sql: string): SqlToken[] {
  let tokens: SqlToken[]
  try {
    tokens = sqlTokens(sql, 'spark')
  } catch (cause) {
    throw new UserError('LPA-QUERY-SQL', (cause as Error).message, { exit: 'usage', cause })
  }
  for (const [index, { kind, text, line }] of tokens.entries()) {
    if (kind === 'comment') continue
    const isKnown = kind === 'mark' ? MARKS.has(text) : kind !== 'word' || !FORBIDDEN.has(text.toLowerCase())
    // `1secret` is a name to Spark.
    const isTorn = kind === 'word' && tokens[index - 1]?.kind === 'number'
    const isPlain = kind === 'string' || kind === 'quoted' || /^[\t\n\r -~]*$/.test(text)
    if (!isKnown || isTorn || !isPlain || text.includes('\\'))
      throw refused(`line ${line}: ${text} is not known here.`)
  }
  return tokens
}

function refused(what: string): UserError {
  return new UserError(
    'LPA-QUERY-REFUSED',
    `${what} On Spark, lpa query reads the tables of the warehouse, by one SELECT in plain words.`,
    { exit: 'notPermitted', next: 'The embedded engine reads more of SQL: without --engine' },
  )
}
