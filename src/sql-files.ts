/** The packaged .sql files: where they are, what their header comments say. Reads only the file asked for. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { didYouMean, nearest } from './did-you-mean.ts'
import { UserError } from './errors.ts'
import type { Cell, Dialect, Model, Values } from './types.ts'

/** `snowflake`: reports of what only Snowflake has. */
export type SqlKind = 'models' | 'reports' | 'checks' | 'mappings' | 'ledger' | 'snowflake'

export type ParamType = 'integer' | 'double' | 'text' | 'date' | 'boolean'

/** `-- param: days integer 7 "no event for this many days"`; `$days` in the SQL. */
export interface SqlParam {
  readonly name: string
  readonly type: ParamType
  /** `date` as YYYY-MM-DD. `null` is written `null`, or `required` where there is no answer without a value. */
  readonly default: Cell
  readonly required?: true
  readonly text: string
}

/** `-- chart: line x=day y=enrollments,completions`. */
export interface SqlChart {
  readonly kind: string
  readonly x: string
  readonly y: readonly string[]
}

/** `-- materialise: table`, `table window(touched_date)`, `temporary`, or `incremental key(a, b) window(touched_pair)`. */
export type Materialise = Model['materialise']

export interface SqlFile {
  readonly kind: SqlKind
  readonly name: string
  readonly path: string
  readonly title: string
  readonly grain: string
  readonly definition: string
  readonly params: readonly SqlParam[]
  readonly chart?: SqlChart
  readonly materialise?: Materialise
  /** Of a check: whether its rows stop a batch. */
  readonly severity?: 'error' | 'warning'
  /** Every header by key, in order; the lines of one that runs on are joined by a line feed. */
  readonly header: Readonly<Record<string, readonly string[]>>
  /** The statement, portable (see sql-expand.ts), without header and closing semicolon. */
  readonly body: string
}

let root: string | undefined

/** The folder of lpa's package.json, whether this runs from `src/` or from `dist/src/`. */
export function packageRoot(): string {
  if (root === undefined) {
    root = dirname(fileURLToPath(import.meta.url))
    while (!existsSync(join(root, 'package.json')) && dirname(root) !== root) root = dirname(root)
  }
  return root
}

const OVERRIDE = /\.(snowflake|spark)\.sql$/

/** The names of a kind, sorted; overrides for a dialect are not names of their own. */
export function listSql(kind: SqlKind): string[] {
  return readdirSync(join(packageRoot(), 'sql', kind))
    .filter((file) => file.endsWith('.sql') && !OVERRIDE.test(file))
    .map((file) => file.slice(0, -'.sql'.length))
    .sort()
}

export function hasSql(kind: SqlKind, name: string, dialect: Dialect = 'duckdb'): boolean {
  return fileOf(kind, name, dialect) !== undefined
}

/**
 * Reads `sql/KIND/NAME.sql`, or the override `NAME.DIALECT.sql` where there is one.
 * @throws UserError LPA-SQL-UNKNOWN (usage) with the nearest name; LPA-SQL-HEADER for a header it cannot read.
 */
export function readSql(kind: SqlKind, name: string, dialect: Dialect = 'duckdb'): SqlFile {
  const path = fileOf(kind, name, dialect)
  if (path === undefined) throw unknownName(kind, name)
  return parseSql(readFileSync(path, 'utf8'), { kind, name, path })
}

function fileOf(kind: SqlKind, name: string, dialect: Dialect): string | undefined {
  if (!/^[a-z][\w-]*$/.test(name)) return undefined
  const folder = join(packageRoot(), 'sql', kind)
  return [`${name}.${dialect}.sql`, `${name}.sql`].map((file) => join(folder, file)).find(existsSync)
}

function unknownName(kind: SqlKind, name: string): UserError {
  return new UserError('LPA-SQL-UNKNOWN', `There is no ${kind.slice(0, -1)} "${name}".`, {
    exit: 'usage',
    next: nearest(name, listSql(kind)),
  })
}

/**
 * Reads the header comments and the statement of a .sql file's text; `path` is for messages.
 * The header is the comment lines before the first line that is none: `-- key: value`, and lines without a
 * key of their own, or indented by two blanks or more, go on with the value before, up to an empty `--`.
 * @throws UserError LPA-SQL-HEADER (config) with file and line.
 */
export function parseSql(text: string, file: { kind: SqlKind; name: string; path: string }): SqlFile {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  const end = lines.findIndex((line) => !line.startsWith('--'))
  const headerLines = end < 0 ? lines : lines.slice(0, end)
  const header: Record<string, string[]> = Object.create(null)
  const params: SqlParam[] = []
  let chart: SqlChart | undefined
  let materialise: Materialise | undefined
  let last: string[] | undefined
  for (const [index, line] of headerLines.entries()) {
    const [, key, value = ''] = /^-- ?([a-z][a-z-]*):\s*(.*?)\s*$/.exec(line) ?? []
    const bad = (expected: string) =>
      new UserError('LPA-SQL-HEADER', `Cannot read the header "${key}" of ${file.name}. Write: ${expected}`, {
        exit: 'config',
        where: `${file.path}:${index + 1}`,
      })
    if (key === undefined) {
      if (line.trim() === '--') last = undefined
      else if (last !== undefined) last.push(`${last.pop()}\n${line.slice(2).trim()}`.trim())
      continue
    }
    last = header[key] ??= []
    last.push(value)
    if (key === 'param')
      params.push(readParam(value) ?? fail(bad('-- param: days integer 7 "what it means"')))
    if (key === 'chart')
      chart = readChart(value) ?? fail(bad('-- chart: line x=day y=enrollments,completions'))
    if (key === 'materialise') {
      materialise = readMaterialise(value) ?? fail(bad('-- materialise: table, or incremental key(a, b)'))
    }
  }
  const severity = header.severity?.[0]
  const one = (key: string) => (header[key]?.[0] ?? '').replace(/\s+/g, ' ')
  return {
    ...file,
    title: one('title'),
    grain: one('grain'),
    definition: one('definition'),
    params,
    ...(chart === undefined ? {} : { chart }),
    ...(materialise === undefined ? {} : { materialise }),
    ...(severity === 'error' || severity === 'warning' ? { severity } : {}),
    header,
    body: (end < 0 ? '' : lines.slice(end).join('\n')).trim().replace(/\s*;$/, ''),
  }
}

/** A model's statement for making every row anew: without the lines that say at their end that they are `-- incremental`. */
export function withoutIncremental({ body }: SqlFile): string {
  const lines = body.split('\n').filter((line) => !line.endsWith(INCREMENTAL))
  return withoutMarks(lines.join('\n'))
}

/**
 * A model's SELECT with the lines that limit it to a batch. Where it is known what the batch `brought`, parts of the
 * union are left out that say they are `-- brought by` something else: to plan them takes longer than all the rest.
 */
export function withIncremental({ body }: SqlFile, brought?: ReadonlySet<string>): string {
  const parts = body.split(UNION)
  const left = parts.filter((part) => {
    const [[, by] = []] = part.matchAll(BROUGHT_BY)
    return !by || !brought || brought.has(by)
  })
  // Of none, the first has no rows either.
  const kept = left.length > 0 ? left : parts.slice(0, 1)
  return withoutMarks(kept.join('\nunion\n'))
}

/** A statement may go on after the model's last line: no comment may end it. */
function withoutMarks(select: string): string {
  return select.replaceAll(INCREMENTAL, '').replaceAll(BROUGHT_BY, '')
}

const INCREMENTAL = '-- incremental'
const BROUGHT_BY = /-- brought by (\w+)$/gm
const UNION = /\nunion\n/

function fail(error: Error): never {
  throw error
}

function readParam(value: string): SqlParam | undefined {
  const match = /^([a-z]\w*) (integer|double|text|date|boolean) (\S+) "(.*)"$/.exec(value)
  if (match === null) return undefined
  const [, name, type, initial, text] = match as unknown as [string, string, ParamType, string, string]
  if (initial === 'required') return { name, type, default: null, required: true, text }
  const cell = initial === 'null' ? null : readCell(type, initial)
  return cell === undefined ? undefined : { name, type, default: cell, text }
}

function readChart(value: string): SqlChart | undefined {
  const match = /^([a-z][a-z-]*) x=(\w+) y=(\w+(?:,\w+)*)$/.exec(value)
  if (match === null) return undefined
  const [, kind, x, y] = match as unknown as [string, string, string, string]
  return { kind, x, y: y.split(',') }
}

function readMaterialise(value: string): Materialise | undefined {
  if (value === 'temporary') return { kind: value }
  const match = /^(?:table|incremental key\(([\w, ]+)\))(?: window\((\w+)\))?$/.exec(value)
  if (match === null) return undefined
  const [, columns, name] = match
  const window = name === undefined ? {} : { window: name }
  if (columns === undefined) return { kind: 'table', ...window }
  return { kind: 'incremental', key: columns.split(',').map((column) => column.trim()), ...window }
}

/** A parameter's value from its text, or undefined when the text is no value of the type. */
function readCell(type: ParamType, text: string): Cell | undefined {
  if (type === 'text') return text
  if (type === 'integer') return /^-?\d{1,9}$/.test(text) ? Number(text) : undefined
  if (type === 'double') return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : undefined
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : undefined
  const day = /^\d{4}-\d\d-\d\d$/.test(text) ? new Date(`${text}T00:00:00Z`) : undefined
  // The round trip refuses 2026-02-30, which Date would roll over.
  const isDay = day !== undefined && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text)
  return isDay ? text : undefined
}

/**
 * The values to bind: those given (texts by name, as `--param days=14`), else the defaults.
 * @throws UserError LPA-QUERY-PARAM (usage) for an unknown name or a text that is no value of the type.
 */
export function paramValues(file: SqlFile, given: Readonly<Record<string, string>>): Values {
  for (const [name, text] of Object.entries(given)) {
    const param = file.params.find((candidate) => candidate.name === name)
    if (param === undefined) throw unknownParam(file, name)
    if (readCell(param.type, text) === undefined) {
      throw new UserError('LPA-QUERY-PARAM', `--param ${name}: "${text}" is not ${ANY[param.type]}.`, {
        exit: 'usage',
        next: `For example: --param ${name}=${param.default ?? EXAMPLE[param.type]}`,
      })
    }
  }
  return Object.fromEntries(
    file.params.map((p) => [
      p.name,
      Object.hasOwn(given, p.name) ? (readCell(p.type, given[p.name] as string) as Cell) : p.default,
    ]),
  )
}

const ANY: Readonly<Record<ParamType, string>> = {
  integer: 'a whole number',
  double: 'a number',
  text: 'a text',
  date: 'a date (YYYY-MM-DD)',
  boolean: 'true or false',
}
const EXAMPLE: Readonly<Record<ParamType, string>> = {
  integer: '7',
  double: '0.5',
  text: 'CS101',
  date: '2026-01-31',
  boolean: 'true',
}

function unknownParam(file: SqlFile, name: string): UserError {
  const names = file.params.map((param) => `${param.name} (${param.text})`)
  const near = didYouMean(
    name,
    file.params.map((param) => param.name),
  )
  const known = names.length === 0 ? `${file.name} takes none.` : `It takes: ${names.join(', ')}.`
  const next = near === undefined ? [known] : [`Did you mean ${near}?`, known]
  return new UserError('LPA-QUERY-PARAM', `${file.name} has no parameter "${name}".`, { exit: 'usage', next })
}
