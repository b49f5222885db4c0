/** What a role may see as views of the embedded engine: masks and row rules in their text, nothing else within reach. */

import { viewBody } from '../ddl.ts'
import { quoteName, quoteText } from '../duckdb.ts'
import { isCode, sqlTokens } from '../sql-tokens.ts'
import type { RoleViews, TableDeclaration } from '../types.ts'
import type { Mask } from './policy.ts'
import type { ColumnAccess, RoleAccess, RowFilter, TableAccess } from './resolve.ts'

/** The warehouse itself, as it is attached. */
export const LAKE = 'lake'
/** Every table that is needed, masked and filtered: what the role's own views and those over them are made of. */
const MASKED = 'masked'
/** Only what the role may name. */
const ROLE = 'role'

const SCHEMAS = ['core', 'staging', 'raw', 'meta']

/**
 * DuckDB moves a question's own conditions below a filter where it thinks they cannot fail, and some can: an error, or
 * none, would tell of rows that are hidden. It moves nothing below a LIMIT.
 */
const FENCE = 'limit 9223372036854775807'

/** The statements that make a role's catalog; nothing of the policy but these reaches the engine. */
export function roleViews(
  { role, user, tables }: RoleAccess,
  declared: readonly TableDeclaration[],
): RoleViews {
  const sqlOf = new Map(declared.map((table) => [table.name, table.sql]))
  const accessOf = new Map(tables.map((table) => [table.name, table]))
  const granted = tables.filter(({ isGranted }) => isGranted).map(({ name }) => name)
  const masked = new Set<string>()
  const views: string[] = []
  const need = (name: string): void => {
    const table = accessOf.get(name)
    if (table === undefined || masked.has(name)) return
    masked.add(name)
    const body = table.kind === 'view' ? viewBody({ sql: sqlOf.get(name) ?? '' }) : undefined
    if (body !== undefined) for (const one of tablesOf(body)) need(one)
    views.push(
      `create view ${MASKED}.${name} as ${body === undefined ? maskedTable(table) : inCatalog(body, MASKED)}`,
    )
  }
  for (const name of granted) need(name)
  const filtered = granted.map((name) => accessOf.get(name)).flatMap((table) => table?.filters ?? [])
  const missing = [
    ...new Set(filtered.flatMap(({ rule, values }) => (values.length === 0 ? rule.attribute : []))),
  ]
  return {
    ...{ role: role.name, user, mayReveal: role.mayReveal },
    ...(role.minCell !== undefined && { minCell: role.minCell }),
    tables: granted,
    missingAttributes: missing.sort(),
    statements: [
      ...[MASKED, ROLE].flatMap((catalog) => [
        `attach ':memory:' as ${catalog}`,
        ...SCHEMAS.map((schema) => `create schema ${catalog}.${schema}`),
      ]),
      // In one transaction the lake is asked for its tables once.
      ...['begin', ...views, 'commit'],
      ...[
        'begin',
        ...granted.map((name) => `create view ${ROLE}.${name} as from ${MASKED}.${name}`),
        'commit',
      ],
      `use ${ROLE}.core`,
    ],
  }
}

function maskedTable({ name, columns, filters }: TableAccess): string {
  const rows = `${LAKE}.${name}`
  const source =
    filters.length === 0
      ? rows
      : `(select * from ${rows} where ${filters.map(condition).join(' and ')} ${FENCE})`
  return `select ${columns.map(shown).join(', ')} from ${source}`
}

/** Which rows of a table pass, over the tables of the warehouse as it is attached. */
export function condition({ rule, column, values }: RowFilter): string {
  if (values.length === 0) return 'false'
  const list = values.map(quoteText).join(', ')
  if (rule.allowed === undefined) return `cast(${quoteName(column)} as varchar) in (${list})`
  const allowed = sqlTokens(inCatalog(rule.allowed, LAKE))
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
      return `sha256(${value})`
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
    ? `floor(${value} / ${width}) * ${width}`
    : `cast(${value} - ((${value} % ${width}) + ${width}) % ${width} as ${type})`
}

/** Tables and views that a declared view names, each with its schema. */
function tablesOf(sql: string): string[] {
  const names: string[] = []
  eachTable(sql, (schema, table) => {
    names.push(`${schema}.${table}`)
    return schema
  })
  return names
}

/** The same SQL over the tables of a catalog. */
function inCatalog(sql: string, catalog: string): string {
  return eachTable(sql, (schema) => `${catalog}.${schema}`)
}

/** Replaces the schema of every `core.fact_enrollment`, and nothing in strings and comments. */
function eachTable(sql: string, replace: (schema: string, table: string) => string): string {
  const tokens = sqlTokens(sql)
  return tokens
    .map((token, index) => {
      const isSchema = token.kind === 'word' && SCHEMAS.includes(token.text)
      const [dot, table] = [tokens[index + 1], tokens[index + 2]]
      const before = tokens.slice(0, index).findLast(isCode)
      if (!isSchema || dot?.text !== '.' || table?.kind !== 'word' || before?.text === '.') return token.text
      return replace(token.text, table.text)
    })
    .join('')
}
