/** What a role may see as views, of the embedded engine or of Spark: masks and row rules in their text. */

import { viewBody } from '../ddl.ts'
import { quoteName, quoteText } from '../duckdb.ts'
import { expand } from '../sql-expand.ts'
import { isCode, sqlTokens } from '../sql-tokens.ts'
import type { Dialect, RoleTraits, RoleViews, SparkRoleViews, TableDeclaration } from '../types.ts'
import type { Mask } from './policy.ts'
import type { ColumnAccess, RoleAccess, RowFilter, TableAccess } from './resolve.ts'

/** The warehouse itself, as it is attached. */
export const LAKE = 'lake'
/** Every table that is needed, masked and filtered: what the role's own views and those over them are made of. */
const MASKED = 'masked'
/** Only what the role may name. */
const ROLE = 'role'

const SCHEMAS = ['core', 'staging', 'raw', 'meta']

/** What differs from engine to engine in a role's views, all else is portable. */
interface Words {
  readonly dialect: Dialect
  /** Where all rows of a table are, as they are. */
  all(table: string): string
  /** Where they are masked and filtered. */
  masked(table: string): string
  text(value: string): string
  /** Rows for which a condition holds, where nothing that is asked of them is asked of the others. */
  fenced(rows: string, condition: string): string
}

const DUCKDB: Words = {
  dialect: 'duckdb',
  all: (table) => `${LAKE}.${table}`,
  masked: (table) => `${MASKED}.${table}`,
  text: quoteText,
  // DuckDB moves a question's own conditions below a filter where it thinks they cannot fail, and some can: an error, or
  // none, would tell of rows that are hidden. It moves nothing below a LIMIT.
  fenced: (rows, condition) => `(select * from ${rows} where ${condition} limit 9223372036854775807)`,
}

const sparkWords = (all: Words['all']): Words => ({
  dialect: 'spark',
  all,
  masked: (table) => table,
  // A backslash is an escape there.
  text: (value) => quoteText(value.replaceAll('\\', '\\\\')),
  // Spark moves conditions below joins, as which it carries out an IN. It moves none below what is not the same each time, which
  // has to be something that it does not see through (`rand() >= 0` is); a LIMIT would bring all rows to one place.
  fenced: (rows, condition) =>
    `(select * from (select * from ${rows} where ${condition}) where monotonically_increasing_id() >= 0)`,
})

/** The statements that make a role's catalog; nothing of the policy but these reaches the engine. */
export function roleViews(access: RoleAccess, declared: readonly TableDeclaration[]): RoleViews {
  const traits = traitsOf(access)
  const views = maskedViews(access, declared, DUCKDB)
  return {
    ...traits,
    statements: [
      ...[MASKED, ROLE].flatMap((catalog) => [
        `attach ':memory:' as ${catalog}`,
        ...SCHEMAS.map((schema) => `create schema ${catalog}.${schema}`),
      ]),
      // In one transaction the lake is asked for its tables once.
      ...['begin', ...views.map(([name, select]) => `create view ${MASKED}.${name} as ${select}`), 'commit'],
      ...[
        'begin',
        ...traits.tables.map((name) => `create view ${ROLE}.${name} as from ${MASKED}.${name}`),
        'commit',
      ],
      `use ${ROLE}.core`,
    ],
  }
}

/** The same for a session of Spark: `declared` are in its words, and `all` says what it calls a table with all its rows. */
export function sparkRoleViews(
  access: RoleAccess,
  declared: readonly TableDeclaration[],
  all: (table: string) => string,
): SparkRoleViews {
  return { ...traitsOf(access), views: new Map(maskedViews(access, declared, sparkWords(all))) }
}

function traitsOf({ role, user, tables }: RoleAccess): RoleTraits {
  const granted = tables.filter(({ isGranted }) => isGranted)
  const missing = granted
    .flatMap(({ filters }) => filters)
    .flatMap(({ rule, values }) => (values.length === 0 ? rule.attribute : []))
  return {
    ...{ role: role.name, user, mayReveal: role.mayReveal },
    ...(role.minCell !== undefined && { minCell: role.minCell }),
    tables: granted.map(({ name }) => name),
    missingAttributes: [...new Set(missing)].sort(),
  }
}

/** Of every table that is granted, and what it is made of, the name and its SELECT: each after those that it names. */
function maskedViews(
  { tables }: RoleAccess,
  declared: readonly TableDeclaration[],
  words: Words,
): [name: string, select: string][] {
  const sqlOf = new Map(declared.map((table) => [table.name, table.sql]))
  const accessOf = new Map(tables.map((table) => [table.name, table]))
  const known = new Set<string>()
  const views: [string, string][] = []
  const need = (name: string): void => {
    const table = accessOf.get(name)
    if (table === undefined || known.has(name)) return
    known.add(name)
    const body = table.kind === 'view' ? viewBody({ sql: sqlOf.get(name) ?? '' }) : undefined
    if (body !== undefined) for (const one of tablesOf(body)) need(one)
    const select = body === undefined ? maskedTable(table, words) : renamed(body, words.masked)
    views.push([name, expand(select, words.dialect)])
  }
  for (const { name, isGranted } of tables) if (isGranted) need(name)
  return views
}

function maskedTable({ name, columns, filters }: TableAccess, words: Words): string {
  const rows = words.all(name)
  const conditions = filters.map((filter) => condition(filter, words))
  const source = conditions.length === 0 ? rows : words.fenced(rows, conditions.join(' and '))
  return `select ${columns.map(shown).join(', ')} from ${source}`
}

/** Which rows of a table pass, over the tables of the warehouse as it is attached. */
export function condition({ rule, column, values }: RowFilter, words: Words = DUCKDB): string {
  if (values.length === 0) return 'false'
  const list = values.map(words.text).join(', ')
  if (rule.allowed === undefined) return `cast(${quoteName(column)} as string) in (${list})`
  const allowed = sqlTokens(renamed(rule.allowed, words.all))
    .map(({ kind, text }) => (kind === 'parameter' && text === '$values' ? list : text))
    .join('')
  return `${quoteName(column)} in (${allowed})`
}

function shown(column: ColumnAccess): string {
  const name = quoteName(column.name)
  return column.mask === undefined ? name : `${maskOf(column.mask, name, column.type)} as ${name}`
}

function maskOf({ masking }: Mask, value: string, type: string): string {
  switch (masking.how) {
    case 'full':
      return `case when ${value} is not null then '***' end`
    case 'null':
      // Of the column's own type, whatever the warehouse keeps it as.
      return `case when false then ${value} end`
    case 'hash':
      return `lpa_sha256(${value})`
    case 'partial':
      return `substr(${value}, 1, ${masking.keep})`
    case 'month':
      return `cast(date_trunc('month', ${value}) as ${type})`
    case 'band':
      return bandOf(value, masking.width, type)
  }
}

/** Down to a multiple of the width, below zero too. Whole numbers and decimals stay exact. */
function bandOf(value: string, width: number, type: string): string {
  return type === 'double'
    ? `lpa_floor(${value} / ${width}) * ${width}`
    : `cast(${value} - ((${value} % ${width}) + ${width}) % ${width} as ${type})`
}

/** Tables and views that a declared view names, each with its schema. */
function tablesOf(sql: string): string[] {
  const names: string[] = []
  renamed(sql, (table) => {
    names.push(table)
    return table
  })
  return names
}

/** Replaces every `core.fact_enrollment`, and nothing in strings and comments. */
function renamed(sql: string, rename: (table: string) => string): string {
  const tokens = sqlTokens(sql)
  let text = ''
  for (let index = 0; index < tokens.length; index += 1) {
    const [token, dot, table] = tokens.slice(index, index + 3)
    const isSchema = token?.kind === 'word' && SCHEMAS.includes(token.text)
    const before = tokens.slice(0, index).findLast(isCode)
    if (isSchema && dot?.text === '.' && table?.kind === 'word' && before?.text !== '.') {
      text += rename(`${token.text}.${table.text}`)
      index += 2
    } else text += token?.text
  }
  return text
}
