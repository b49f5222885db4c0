/** Portable SQL to an engine's own: the sixteen `lpa_*` functions, replaced as text (docs/decisions). */

import { isCode, type SqlToken, sqlTokens } from './sql-tokens.ts'
import type { Dialect } from './types.ts'

type Names = readonly (string | number)[]

/**
 * A dialect's texts. Arguments arrive expanded. `v` is an expression of JSON or VARIANT, whichever the dialect keeps,
 * that can be followed by a path; `path` is checked: names, and indexes from 0.
 */
interface Texts {
  date_key(x: string): string
  date(dateKey: string): string
  days(from: string, to: string): string
  add_days(date: string, days: string): string
  seconds(from: string, to: string): string
  text(v: string, path: Names): string
  number(v: string, path: Names): string
  boolean(v: string, path: Names): string
  size(v: string, path: Names): string
  variant(text: string): string
  json(v: string): string
  list(x: string, separator: string): string
  /** A number of 64 bits, of one value or of several: the engine's own, so only to be compared within one. */
  hash(x: string, ...more: readonly string[]): string
  /** In hex. */
  sha256(text: string): string
  starts_with(text: string, start: string): string
  /** Of a double, as a double. */
  floor(x: string): string
}

const dateKey = (x: string) =>
  `cast(extract(year from ${x}) * 10000 + extract(month from ${x}) * 100 + extract(day from ${x}) as int)`

const dateOfKey = (key: string) => {
  const digits = `lpad(cast(${key} as string), 8, '0')`
  return `cast(substr(${digits}, 1, 4) || '-' || substr(${digits}, 5, 2) || '-' || substr(${digits}, 7, 2) as date)`
}

const jsonPath = (path: Names) => path.map((p) => (typeof p === 'number' ? `[${p}]` : `.${p}`)).join('')
const sparkPath = (path: Names) => `'$${jsonPath(path)}'`
// The cast costs nothing for JSON, and gives a VARIANT the same answers: text of text unquoted, JSON null as NULL.
const duckdbText = (v: string, path: Names) => `json_extract_string(cast(${v} as json), ${sparkPath(path)})`
/** Spark reads JSON from the warehouse's files as text, and a VARIANT as one; what is no JSON has nothing in it. */
const sparkVariant = (v: string) => `try_parse_json(cast(${v} as string))`
const snowflakePath = (path: Names) => `'${jsonPath(path).slice(1)}'`

const TEXTS: Readonly<Record<Dialect, Texts>> = {
  duckdb: {
    date_key: dateKey,
    date: dateOfKey,
    days: (from, to) => `date_diff('day', cast(${from} as date), cast(${to} as date))`,
    add_days: (date, days) => `(${date} + cast(${days} as int))`,
    seconds: (from, to) => `(cast(epoch_ms(${to}) - epoch_ms(${from}) as double) / 1000)`,
    text: duckdbText,
    number: (v, path) => `try_cast(${duckdbText(v, path)} as double)`,
    boolean: (v, path) => `try_cast(${duckdbText(v, path)} as boolean)`,
    // What is no array has the length 0 for json_array_length; as a list it is NULL.
    size: (v, path) => `len(try_cast(json_extract(cast(${v} as json), ${sparkPath(path)}) as json[]))`,
    // Written to a VARIANT column it becomes one.
    variant: (text) => `cast(${text} as json)`,
    // A NULL VARIANT as JSON is the text `null`.
    json: (v) => `nullif(cast(cast(${v} as json) as varchar), 'null')`,
    list: (x, separator) => `string_agg(distinct ${x}, ${separator} order by ${x})`,
    hash: (x, ...more) => `hash(${[x, ...more].join(', ')})`,
    sha256: (text) => `sha256(${text})`,
    starts_with: (text, start) => `starts_with(${text}, ${start})`,
    floor: (x) => `floor(${x})`,
  },
  spark: {
    date_key: dateKey,
    date: dateOfKey,
    days: (from, to) => `datediff(cast(${to} as date), cast(${from} as date))`,
    add_days: (date, days) => `date_add(${date}, cast(${days} as int))`,
    seconds: (from, to) =>
      `(cast(unix_millis(cast(${to} as timestamp_ltz)) - unix_millis(cast(${from} as timestamp_ltz)) as double) / 1000)`,
    text: (v, path) => `try_variant_get(${sparkVariant(v)}, ${sparkPath(path)}, 'string')`,
    number: (v, path) => `try_variant_get(${sparkVariant(v)}, ${sparkPath(path)}, 'double')`,
    boolean: (v, path) => `try_variant_get(${sparkVariant(v)}, ${sparkPath(path)}, 'boolean')`,
    size: (v, path) => `size(try_variant_get(${sparkVariant(v)}, ${sparkPath(path)}, 'array<variant>'))`,
    variant: (text) => text,
    json: (v) => `nullif(cast(${v} as string), 'null')`,
    list: (x, separator) => `array_join(array_sort(collect_set(${x})), ${separator})`,
    // Of several values its own passes over a NULL, wherever it stands.
    hash: (x, ...more) => `xxhash64(${[x, ...more.flatMap((each) => [`${each} is null`, each])].join(', ')})`,
    sha256: (text) => `sha2(${text}, 256)`,
    starts_with: (text, start) => `startswith(${text}, ${start})`,
    // Its own answers whole numbers of 64 bits, and 0 for NaN; beyond 2^52 a double has no fraction.
    floor: (x) => `(case when abs(${x}) < 4503599627370496 then cast(floor(${x}) as double) else ${x} end)`,
  },
  snowflake: {
    date_key: dateKey,
    date: dateOfKey,
    days: (from, to) => `datediff(day, cast(${from} as date), cast(${to} as date))`,
    add_days: (date, days) => `dateadd(day, ${days}, ${date})`,
    seconds: (from, to) => `(cast(datediff(millisecond, ${from}, ${to}) as double) / 1000)`,
    text: (v, path) => `cast(get_path(${v}, ${snowflakePath(path)}) as varchar)`,
    // A cast of the VARIANT itself would be an error where the others answer null.
    number: (v, path) => `try_to_double(cast(get_path(${v}, ${snowflakePath(path)}) as varchar))`,
    boolean: (v, path) => `try_to_boolean(cast(get_path(${v}, ${snowflakePath(path)}) as varchar))`,
    size: (v, path) => `array_size(get_path(${v}, ${snowflakePath(path)}))`,
    // A name that is there twice would be an error; so the last one counts, for DuckDB the first.
    variant: (text) => `parse_json(${text}, 'd')`,
    json: (v) => `to_json(${v})`,
    list: (x, separator) => `listagg(distinct ${x}, ${separator}) within group (order by ${x})`,
    hash: (x, ...more) => `hash(${[x, ...more].join(', ')})`,
    sha256: (text) => `sha2(${text}, 256)`,
    starts_with: (text, start) => `startswith(${text}, ${start})`,
    floor: (x) => `floor(${x})`,
  },
}

const TAKES_PATH: ReadonlySet<string> = new Set(['text', 'number', 'boolean', 'size'])
const TAKES_MORE: ReadonlySet<string> = new Set(['hash'])

/** The portable functions by name, `lpa_date_key` first. */
export const PORTABLE_FUNCTIONS: readonly string[] = Object.keys(TEXTS.duckdb).map((name) => `lpa_${name}`)

/**
 * Expands every `lpa_*(…)` call of portable SQL into the dialect's own text; strings, quoted names and
 * comments stay as they are.
 * @throws Error naming the function and the line: unknown function, wrong number of arguments, bad path.
 */
export function expand(sql: string, dialect: Dialect): string {
  // The commonest mapping and user text has none: spare it the tokens.
  return sql.includes('lpa_') ? expandTokens(sqlTokens(sql), TEXTS[dialect]) : sql
}

function expandTokens(tokens: readonly SqlToken[], texts: Texts): string {
  let out = ''
  for (let i = 0; i < tokens.length; ) {
    const token = tokens[i] as SqlToken
    const opening = token.kind === 'word' && token.text.startsWith('lpa_') ? nextCode(tokens, i + 1) : -1
    if (opening < 0 || tokens[opening]?.text !== '(') {
      out += token.text
      i += 1
      continue
    }
    const call = readArguments(tokens, opening, token)
    const expanded = expandCall(token, call.args, texts)
    const dropped = lineFeeds(tokens.slice(i, call.end + 1)) - (expanded.split('\n').length - 1)
    // What follows keeps its line: an engine's error then points into the file.
    out += expanded + '\n'.repeat(Math.max(0, dropped))
    i = call.end + 1
  }
  return out
}

function expandCall(name: SqlToken, args: readonly SqlToken[][], texts: Texts): string {
  const key = name.text.slice('lpa_'.length)
  if (!Object.hasOwn(texts, key)) {
    throw new Error(`line ${name.line}: ${name.text} is not one of ${PORTABLE_FUNCTIONS.join(', ')}.`)
  }
  const write = texts[key as keyof Texts] as (...values: unknown[]) => string
  const given = args.length === 1 && args[0]?.length === 0 ? 0 : args.length
  if (given < write.length || (given > write.length && !TAKES_MORE.has(key))) {
    throw new Error(`line ${name.line}: ${name.text} takes ${write.length} argument(s), not ${given}.`)
  }
  const values: unknown[] = args.map((arg) => expandTokens(arg, texts))
  if (args.some((arg) => arg.length === 0)) {
    throw new Error(`line ${name.line}: ${name.text} has an empty argument.`)
  }
  if (TAKES_PATH.has(key)) {
    values[0] = args[0]?.every((t) => t.kind === 'word' || t.kind === 'quoted' || t.text === '.')
      ? values[0]
      : `(${values[0]})`
    values[1] = readPath(name, args[1] ?? [])
  }
  return write(...values)
}

/** The tokens of each argument, trimmed, and the index of the closing bracket. */
function readArguments(tokens: readonly SqlToken[], opening: number, name: SqlToken) {
  const args: SqlToken[][] = [[]]
  let depth = 0
  for (let end = opening; end < tokens.length; end += 1) {
    const token = tokens[end] as SqlToken
    const code = isCode(token)
    if (code && token.text === ')') depth -= 1
    if (depth === 0 && end > opening) return { args: args.map(trim), end }
    if (code && token.text === ',' && depth === 1) args.push([])
    else if (end > opening) args.at(-1)?.push(token)
    if (code && token.text === '(') depth += 1
  }
  throw new Error(`line ${name.line}: ${name.text} has no closing bracket.`)
}

function trim(tokens: SqlToken[]): SqlToken[] {
  const first = tokens.findIndex(isCode)
  return first < 0 ? [] : tokens.slice(first, tokens.findLastIndex(isCode) + 1)
}

function lineFeeds(tokens: readonly SqlToken[]): number {
  return tokens.reduce((sum, token) => sum + token.text.split('\n').length - 1, 0)
}

function nextCode(tokens: readonly SqlToken[], from: number): number {
  return tokens.findIndex((token, index) => index >= from && isCode(token))
}

const PATH = /^[A-Za-z_]\w*(\[\d+\])*(\.[A-Za-z_]\w*(\[\d+\])*)*$/

/** `'a.b[0]'` → `['a', 'b', 0]`. Only plain names: what every engine reads alike without quoting. */
function readPath(name: SqlToken, arg: readonly SqlToken[]): Names {
  const literal = arg.length === 1 && arg[0]?.kind === 'string' ? arg[0].text.slice(1, -1) : undefined
  if (literal === undefined || !PATH.test(literal)) {
    throw new Error(
      `line ${name.line}: ${name.text} takes a path such as 'device.tags[0]' as its second argument.`,
    )
  }
  return [...literal.matchAll(/(\w+)|\[(\d+)\]/g)].map((m) =>
    m[0].startsWith('[') ? Number(m[2]) : (m[1] as string),
  )
}
