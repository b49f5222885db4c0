/** What `lpa query --sql` may run: one SELECT over the warehouse's own tables, and nothing that reaches beyond. */

import type { DuckDBConnection } from '@duckdb/node-api'
import { nearest } from './did-you-mean.ts'
import { readSyntax } from './duckdb.ts'
import { UserError } from './errors.ts'
import { isFunctionAllowed, isTableFunctionAllowed } from './statement-functions.ts'
import type { RoleViews } from './types.ts'

export interface StatementRules {
  /** The name under which the warehouse is attached. */
  readonly catalog: string
  /** Whether EXPLAIN (without ANALYZE) is a statement too. */
  readonly mayExplain: boolean
  /** A role, and all that its SQL may name: as `core.course`, or without `core`. */
  readonly role?: Pick<RoleViews, 'role' | 'tables'>
}

const SCHEMAS: ReadonlySet<string> = new Set(['core', 'staging', 'raw', 'meta'])
const SCHEMA_LIST = [...SCHEMAS].join(', ')

// Names of the engine's own views. Refused as names of CTEs too: a CTE is not in scope everywhere, and where it is not,
// its name would mean the view (`with pg_class as (select … from pg_class)`).
const ENGINE_NAME = /^(duckdb_|pragma_|sqlite_|pg_|ducklake_|__)|^information_schema$/
const PLAIN_NAME = /^[\p{L}_][\p{L}\p{N}_$]*$/u

const NODES = new Set(['SELECT_NODE', 'SET_OPERATION_NODE', 'RECURSIVE_CTE_NODE', 'CTE_NODE'])
const PURE_TABLES = new Set(['SUBQUERY', 'JOIN', 'EXPRESSION_LIST', 'PIVOT', 'EMPTY'])
const EXPRESSIONS = new Set(
  `BETWEEN CASE CAST COLLATE COLUMN_REF COMPARISON CONJUNCTION LAMBDA LAMBDA_REF OPERATOR PARAMETER POSITIONAL_REFERENCE
   STAR SUBQUERY DEFAULT`.split(/\s+/),
)

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }
type Tree = { readonly [key: string]: Json }
/** Names of the CTEs that a table name may mean here. */
type Scope = ReadonlySet<string>

/**
 * Accepts exactly one SELECT in which every table is of core (also unqualified), staging, raw or meta or a CTE, and every
 * function computes from its arguments only. Reads DuckDB's own parse (`json_serialize_sql`), so what is checked is what
 * runs; what the checker does not know, it refuses.
 * @throws UserError LPA-QUERY-REFUSED (77) naming the thing; LPA-QUERY-SQL (usage) for text that is no SQL.
 */
export async function checkStatement(
  connection: DuckDBConnection,
  sql: string,
  rules: StatementRules,
): Promise<void> {
  const text = rules.mayExplain ? sql.replace(/^\s*explain\b/i, '') : sql
  if (text !== sql && /^\s*(analyze|analyse|\()/i.test(text))
    throw refused('EXPLAIN ANALYZE runs the statement.')
  const parsed = (await readSyntax(connection, text)) as Parsed
  if (parsed.error) throw parseError(parsed)
  if (parsed.statements.length !== 1) {
    throw refused(
      parsed.statements.length === 0 ? 'There is no statement.' : 'There is more than one statement.',
    )
  }
  walk(parsed.statements[0] as Tree, new Set(), rules)
}

interface Parsed {
  readonly error: boolean
  readonly error_type?: string
  readonly error_message?: string
  readonly statements: readonly Tree[]
}

function parseError({ error_type: type, error_message: message = '' }: Parsed): UserError {
  if (type !== 'parser') return refused('This is not one SELECT (a pivot needs its values: in (…)).')
  return new UserError('LPA-QUERY-SQL', `The SQL cannot be read: ${message}`, { exit: 'usage' })
}

function refused(what: string): UserError {
  return new UserError(
    'LPA-QUERY-REFUSED',
    `${what} lpa query reads the tables of ${SCHEMA_LIST}, by one SELECT.`,
    {
      exit: 'notPermitted',
      next: 'Who owns the warehouse can run any statement with --write.',
    },
  )
}

function walk(value: Json, scope: Scope, rules: StatementRules): void {
  if (Array.isArray(value)) for (const item of value) walk(item, scope, rules)
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return
  const tree = value as Tree
  if ('cte_map' in tree) walkNode(tree, scope, rules)
  else if (typeof tree.class === 'string') walkExpression(tree, scope, rules)
  else if ('sample' in tree || 'at_clause' in tree) walkTable(tree, scope, rules)
  else if (typeof tree.type === 'string' && tree.type.endsWith('_NODE'))
    throw refused(`${tree.type} is not known here.`)
  else walkParts(tree, scope, rules)
}

function walkParts(tree: Tree, scope: Scope, rules: StatementRules): void {
  for (const part of Object.values(tree)) walk(part, scope, rules)
}

/** A SELECT, UNION or recursive step, with the CTEs in front of it. */
function walkNode(node: Tree, outer: Scope, rules: StatementRules): void {
  if (!NODES.has(String(node.type))) throw refused(`${node.type} is not known here.`)
  const scope = new Set(outer)
  const { map, ...rest } = node.cte_map as { map: readonly { key: string; value: Tree }[] }
  walkParts(rest, outer, rules)
  for (const { key, value } of map) {
    // A CTE sees those before it, not itself.
    walk(value, scope, rules)
    scope.add(cteName(key))
  }
  const { cte_map: _, left = null, ...parts } = node
  walk(left, scope, rules)
  // The step of a recursion sees the CTE, its start does not.
  if (node.type === 'RECURSIVE_CTE_NODE') scope.add(cteName(String(node.cte_name)))
  walkParts(parts, scope, rules)
}

function cteName(name: string): string {
  const lower = name.toLowerCase()
  if (ENGINE_NAME.test(lower)) throw refused(`${name} is a name of the engine's own.`)
  return lower
}

function walkTable(table: Tree, scope: Scope, rules: StatementRules): void {
  if (rules.role && table.at_clause) throw refused('A role sees the warehouse as it is now.')
  switch (table.type) {
    case 'BASE_TABLE':
      checkTable(table, scope, rules)
      break
    case 'TABLE_FUNCTION':
      walkTableFunction(table.function as Tree, scope, rules)
      break
    case 'SHOW_REF':
      if (rules.role) throw refused('show, describe and summarize are not for roles.')
      // `describe t` and `summarize t` hold a query; of the others only the list of the warehouse's tables.
      if (
        table.query === null &&
        !(table.show_type === 'SHOW_UNQUALIFIED' && table.table_name === '"tables"')
      ) {
        throw refused('show and describe without a table are not for this place, but for `show tables`.')
      }
      break
    default:
      if (!PURE_TABLES.has(String(table.type))) throw refused(`${table.type} is not known here.`)
  }
  const { function: _, ...parts } = table
  walkParts(parts, scope, rules)
}

function checkTable(
  { catalog_name: catalog, schema_name: schema, table_name: table }: Tree,
  scope: Scope,
  rules: StatementRules,
) {
  const name = String(table).toLowerCase()
  const full = [catalog, schema, table].filter((part) => part !== '').join('.')
  if (catalog !== '' && String(catalog).toLowerCase() !== rules.catalog.toLowerCase())
    throw refused(`${full} is not of this warehouse.`)
  if (schema !== '' && !SCHEMAS.has(String(schema).toLowerCase()))
    throw refused(`${full} is not of the warehouse.`)
  if (schema === '' && scope.has(name)) return
  if (ENGINE_NAME.test(name)) throw refused(`${full} is the engine's own.`)
  // `from 'grades.csv'` reads a file.
  if (!PLAIN_NAME.test(name)) throw refused(`"${full}" is no table of the warehouse.`)
  if (rules.role) checkRole(String(schema).toLowerCase() || 'core', name, full, String(catalog), rules.role)
}

function checkRole(
  schema: string,
  table: string,
  full: string,
  catalog: string,
  { role, tables }: NonNullable<StatementRules['role']>,
): void {
  if (catalog === '' && tables.includes(`${schema}.${table}`)) return
  const names = tables.map((name) => name.replace(/^core\./, ''))
  throw new UserError(
    'LPA-QUERY-REFUSED',
    `There is no table ${full}, or the role ${role} may not read it.`,
    {
      exit: 'notPermitted',
      next: nearest(full, names, 'It reads'),
    },
  )
}

function walkTableFunction(call: Tree, scope: Scope, rules: StatementRules): void {
  const name = String(call.function_name)
  const isPlain = call.class === 'FUNCTION' && inMain(call) && isTableFunctionAllowed(name)
  if (!isPlain) throw refused(`${name}() reads from elsewhere.`)
  const { class: _, ...parts } = call
  walkParts(parts, scope, rules)
}

function walkExpression(expression: Tree, scope: Scope, rules: StatementRules): void {
  const kind = String(expression.class)
  // A value that the text holds: nothing in it is run.
  if (kind === 'CONSTANT') return
  if (kind === 'FUNCTION' || kind === 'WINDOW') {
    // `x.f()` may be a column's method or a schema's function: the name alone decides.
    const name = String(expression.function_name)
    if (!isFunctionAllowed(name))
      throw refused(`${name}() is not among the functions that compute from their arguments.`)
  } else if (!EXPRESSIONS.has(kind)) {
    throw refused(`${kind} is not known here.`)
  }
  walkParts(expression, scope, rules)
}

function inMain({ catalog = '', schema = '' }: Tree): boolean {
  return catalog === '' && (schema === '' || schema === 'main')
}
