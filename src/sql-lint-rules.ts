/** The forms that portable SQL does not use, each with what to write instead (docs/decisions). */

import { isCode, type SqlToken, sqlTokens } from './sql-tokens.ts'
import type { Dialect } from './types.ts'

/** `words[i]` is the code token `tokens[i]`: words in lower case, all else as written. */
export interface Code {
  readonly tokens: readonly SqlToken[]
  readonly words: readonly string[]
}

export interface Rule {
  readonly name: string
  readonly message: string
  finds(words: readonly string[], i: number, tokens: readonly SqlToken[]): boolean
}

// ── rules ─────────────────────────────────────────────────────────────────────────────────────────────────

const RANKING = new Set([
  'row_number',
  'rank',
  'dense_rank',
  'percent_rank',
  'cume_dist',
  'ntile',
  'lag',
  'lead',
])
const TYPES = new Set([
  'string',
  'double',
  'bigint',
  'int',
  'integer',
  'boolean',
  'date',
  'timestamp',
  'decimal',
])
const NAMES_TAKEN = new Set(['trailing', 'at', 'open'])

export const RULES: readonly Rule[] = [
  {
    name: 'calendar',
    message:
      'extract() of other than year, quarter, month, day, hour, minute, second: join dim_date and take its column.',
    finds: (w, i) =>
      w[i] === 'extract' &&
      w[i + 1] === '(' &&
      !/^(year|quarter|month|day|hour|minute|second)$/.test(w[i + 2] ?? ''),
  },
  {
    name: 'clock',
    message: 'The clock: take the newest date of the data, or a parameter.',
    finds: (w, i) => /^(current_date|current_timestamp|localtimestamp)$/.test(w[i] ?? ''),
  },
  {
    name: 'filter',
    message: 'filter (where …): write count(case when … then 1 end).',
    finds: (w, i) => w[i] === 'filter' && w[i + 1] === '(',
  },
  {
    name: 'distinct-over',
    message: 'count(distinct …) over (…): join on a range of days and write count(distinct …).',
    finds: (w, i) => w[i] === '(' && w[i + 1] === 'distinct' && w[closing(w, i) + 1] === 'over',
  },
  {
    name: 'pivot',
    message: 'pivot, unpivot: write sum(case when … then … end), or union all of the steps.',
    finds: (w, i) => /^(pivot|unpivot|pivot_wider|pivot_longer)$/.test(w[i] ?? ''),
  },
  {
    name: 'anti-join',
    message: 'anti join, semi join, not in (select …): write not exists (select 1 …) or exists (select 1 …).',
    finds: (w, i) =>
      ((w[i] === 'anti' || w[i] === 'semi') && w[i + 1] === 'join') ||
      (w[i] === 'not' &&
        w[i + 1] === 'in' &&
        w[i + 2] === '(' &&
        (w[i + 3] === 'select' || w[i + 3] === 'with')),
  },
  {
    name: 'from-first',
    message: 'from first: write select … from ….',
    finds: (w, i) =>
      w[i] === 'from' && [undefined, '(', 'union', 'all', ')'].includes(w[i - 1]) && !inSelect(w, i),
  },
  {
    name: 'window-clause',
    message: 'window w as (…), over w: write over (…) in place.',
    finds: (w, i) => (w[i] === 'over' && w[i + 1] !== '(') || (w[i] === 'window' && w[i + 2] === 'as'),
  },
  {
    name: 'frame',
    message: 'A window with order by needs its frame: rows between … preceding and current row.',
    finds: (w, i) => {
      if (w[i] !== 'over' || w[i + 1] !== '(') return false
      const called = w[opening(w, i - 1) - 1] ?? ''
      const inside = flat(w, i + 1)
      return (
        inside.includes('order') &&
        !RANKING.has(called) &&
        !inside.includes('rows') &&
        !inside.includes('range')
      )
    },
  },
  {
    name: 'nulls',
    message: 'order by without nulls last: engines place nulls differently. Write it after every item.',
    finds: (w, i) =>
      w[i] === 'order' &&
      w[i + 1] === 'by' &&
      !withinGroup(w, i) &&
      orderItems(w, i + 2).some((item) => !item.includes('nulls')),
  },
  {
    name: 'division',
    message: 'Bare /: write cast(a as double) / nullif(b, 0).',
    finds: (w, i, t) => w[i] === '/' && t[i]?.kind === 'mark' && !(isDouble(w, i - 1) && isNotZero(w, i + 1)),
  },
  { name: 'cast', message: 'a::type: write cast(a as type).', finds: (w, i) => w[i] === '::' },
  {
    name: 'type',
    message: `cast to a type that engines name differently: write one of ${[...TYPES].join(', ')}.`,
    finds: (w, i) => {
      if (!/^(try_)?cast$/.test(w[i] ?? '') || w[i + 1] !== '(') return false
      const as = lastAs(w, i + 1)
      return as >= 0 && !TYPES.has(w[as + 1] ?? '')
    },
  },
  {
    name: 'double-to-int',
    message: 'cast of a double to an integer rounds differently: write cast(floor(x) as bigint).',
    finds: (w, i) => {
      if (w[i] !== 'cast' || w[i + 1] !== '(') return false
      const as = lastAs(w, i + 1)
      if (!/^(int|integer|bigint)$/.test(w[as + 1] ?? '') || /^(floor|ceil)$/.test(w[i + 2] ?? ''))
        return false
      return w
        .slice(i + 2, as)
        .some((x) => /^(\/|\d+\.\d+|avg|median|percentile_cont|double|lpa_number|lpa_seconds)$/.test(x))
    },
  },
  {
    name: 'star',
    message: 'select *: name the columns.',
    finds: (w, i) => w[i] === '*' && ['select', 'distinct', ',', '.'].includes(w[i - 1] ?? ''),
  },
  {
    name: 'by-name',
    message: 'union by name: name the columns in the same order, union all.',
    finds: (w, i) => w[i] === 'by' && w[i + 1] === 'name',
  },
  {
    name: 'join-on',
    message: 'using (…), natural, positional, asof or lateral join: write join … on ….',
    finds: (w, i) =>
      (w[i] === 'using' && w[i + 1] === '(') || /^(natural|positional|asof|lateral)$/.test(w[i] ?? ''),
  },
  {
    name: 'interval',
    message: "An interval is written interval '7 day'.",
    finds: (w, i) => w[i] === 'interval' && !/^'\d+ (day|hour|minute|second)'$/.test(w[i + 1] ?? ''),
  },
  {
    name: 'group-all',
    message: 'group by all, order by all, distinct on: name the columns; qualify row_number().',
    finds: (w, i) =>
      (w[i] === 'by' && w[i + 1] === 'all') || (w[i] === 'distinct' && w[i + 1] === 'on' && w[i + 2] === '('),
  },
  {
    name: 'ignore-nulls',
    message: 'ignore nulls is written differently on every engine: filter the nulls in a step before.',
    finds: (w, i) => (w[i] === 'ignore' || w[i] === 'respect') && w[i + 1] === 'nulls',
  },
  {
    name: 'pattern',
    message: 'A regular expression, ilike or backslash: write like, substr(x, n) or split_part(x, sep, n).',
    finds: (w, i, t) =>
      /^(~|!~|ilike|rlike|regexp|glob)$/.test(w[i] ?? '') ||
      (w[i] === 'similar' && w[i + 1] === 'to') ||
      (t[i]?.kind === 'string' && t[i]?.text.includes('\\') === true),
  },
  {
    name: 'literal',
    message:
      "Lists, slices, structs, lambdas: write substr, split_part, lpa_text(v, 'a[0]') or rows of values.",
    finds: (w, i) => ['[', '{', '->', '->>', '=>'].includes(w[i] ?? ''),
  },
  {
    name: 'path',
    message: "A raw path into a VARIANT: write lpa_text(v, 'a.b') (Snowflake's JSON null is not NULL).",
    finds: (w, i) =>
      (/^(attributes|payload)$/.test(w[i] ?? '') && /^[.:]$/.test(w[i + 1] ?? '')) || w[i] === ':',
  },
  {
    name: 'quoted-name',
    message: 'A name in double quotes is a string on Spark: use plain names.',
    finds: (_, i, t) => t[i]?.kind === 'quoted',
  },
  {
    name: 'name-taken',
    message: `${[...NAMES_TAKEN].join(', ')} are reserved on an engine: use another name.`,
    finds: (w, i) => NAMES_TAKEN.has(w[i] ?? ''),
  },
  {
    name: 'alias-reuse',
    message:
      'An alias used again in the same select: compute it in a step before, or qualify the column that is meant.',
    finds: (w, i, t) => w[i] === 'select' && reusedAlias(w, i, t),
  },
  {
    name: 'parameter',
    message: 'A bare parameter has no type on some engines: write cast($name as type).',
    finds: (w, i, t) =>
      t[i]?.kind === 'parameter' && !(w[i - 1] === '(' && w[i - 2] === 'cast' && w[i + 1] === 'as'),
  },
  {
    name: 'one-statement',
    message: 'A second statement: a file holds one SELECT.',
    finds: (w, i) => w[i] === ';' && i < w.length - 1,
  },
]

// ── reading ───────────────────────────────────────────────────────────────────────────────────────────────

/** The code tokens of a text, and their words. */
export function readCode(sql: string, dialect?: Dialect): Code {
  const tokens = sqlTokens(sql, dialect).filter(isCode)
  return {
    tokens,
    words: tokens.map((token) => (token.kind === 'word' ? token.text.toLowerCase() : token.text)),
  }
}

/** The index of the bracket that closes the one at `from`, or past the end. */
export function closing(words: readonly string[], from: number): number {
  let depth = 0
  for (let i = from; i < words.length; i += 1) {
    if (words[i] === '(') depth += 1
    if (words[i] === ')') depth -= 1
    if (depth === 0) return i
  }
  return words.length
}

/** The index of the bracket that the one at `from` closes, or `from` when it is no bracket. */
function opening(words: readonly string[], from: number): number {
  let depth = 0
  for (let i = from; i >= 0; i -= 1) {
    if (words[i] === ')') depth += 1
    if (words[i] === '(') depth -= 1
    if (depth === 0) return i
  }
  return -1
}

/** The words between the brackets at `from` that no inner bracket holds. */
function flat(words: readonly string[], from: number): string[] {
  const out: string[] = []
  for (let i = from + 1; i < words.length && words[i] !== ')'; i += 1) {
    out.push(words[i] as string)
    if (words[i] === '(') i = closing(words, i)
  }
  return out
}

function lastAs(words: readonly string[], from: number): number {
  const end = closing(words, from)
  for (let i = end - 1; i > from; i -= 1) {
    if (words[i] === ')') i = opening(words, i)
    else if (words[i] === 'as') return i
  }
  return -1
}

/** The items of an order by whose list begins at `from`: up to the bracket, frame or clause that ends it. */
function orderItems(words: readonly string[], from: number): string[][] {
  const items: string[][] = [[]]
  for (let i = from; i < words.length; i += 1) {
    const word = words[i] as string
    if (/^(\)|;|rows|range|limit|union|offset|fetch)$/.test(word)) break
    if (word === ',') items.push([])
    else items.at(-1)?.push(word)
    if (word === '(') i = closing(words, i)
  }
  return items
}

function withinGroup(words: readonly string[], i: number): boolean {
  return words[i - 1] === '(' && words[i - 2] === 'group' && words[i - 3] === 'within'
}

/** Whether the `from` at `i` has its select, or belongs to extract(…), trim(…) and the like. */
function inSelect(words: readonly string[], i: number): boolean {
  let depth = 0
  for (let k = i - 1; k >= 0; k -= 1) {
    if (words[k] === ')') depth += 1
    if (words[k] === '(') {
      if (depth === 0) return false
      depth -= 1
    }
    if (depth === 0 && words[k] === 'select') return true
    if (depth === 0 && words[k] === 'union') return false
  }
  return false
}

/** Whether what ends at `end` is surely a double: a cast to it, a function that answers it, a decimal number. */
function isDouble(words: readonly string[], end: number): boolean {
  if (/^\d+\.\d+$/.test(words[end] ?? '')) return true
  if (words[end] !== ')') return false
  const open = opening(words, end)
  const called = words[open - 1] ?? ''
  if (called === 'cast') return words[end - 1] === 'double'
  // `avg(x) over (…) / 2`
  if (called === 'over') return isDouble(words, open - 2)
  if (/^(floor|ceil|avg|sqrt|median|lpa_seconds|lpa_number)$/.test(called)) return true
  // A bracket around something that has a double at its start or end.
  const plain = !/^\w+$/.test(called) || /^(select|then|else|when|and|or|as|by|on)$/.test(called)
  return plain && words.slice(open, end).includes('double')
}

function isNotZero(words: readonly string[], start: number): boolean {
  const word = words[start] ?? ''
  return word === 'nullif' || (/^\d+(\.\d+)?$/.test(word) && Number(word) !== 0)
}

/** Whether a select names an alias of its own again, unqualified, in its list, where, group by or having. */
function reusedAlias(words: readonly string[], select: number, tokens: readonly SqlToken[]): boolean {
  const aliases = new Set<string>()
  const fresh: string[] = []
  let clause = 'select'
  for (let i = select + 1; i < words.length; i += 1) {
    const word = words[i] as string
    if (word === ')' || word === 'union' || word === ';') return false
    if (/^(from|where|having|order|qualify|group)$/.test(word)) clause = word
    if (word === ',' || word === 'from') for (const alias of fresh.splice(0)) aliases.add(alias)
    const inList = clause === 'select' && words[i - 1] === 'as'
    if (inList) {
      // `a as a` and `t.a as a` give the column back under its name.
      if (words[i - 2] !== word) fresh.push(word)
      continue
    }
    if (word === '(') {
      const end = closing(words, i)
      const inner = words.slice(i + 1, end)
      const uses = inner.some((w, k) => aliases.has(w) && isUse(words, tokens, i + 1 + k))
      if (
        uses &&
        words[i + 1] !== 'select' &&
        clause !== 'order' &&
        clause !== 'qualify' &&
        clause !== 'from'
      )
        return true
      i = end
      continue
    }
    const read = clause === 'select' || clause === 'where' || clause === 'group' || clause === 'having'
    if (read && aliases.has(word) && isUse(words, tokens, i)) return true
  }
  return false
}

function isUse(words: readonly string[], tokens: readonly SqlToken[], i: number): boolean {
  // `extract(year from …)` names no column.
  if (words[i - 2] === 'extract') return false
  return (
    tokens[i]?.kind === 'word' &&
    words[i - 1] !== '.' &&
    words[i - 1] !== 'as' &&
    words[i + 1] !== '(' &&
    words[i + 1] !== '.'
  )
}
