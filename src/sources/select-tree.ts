/** DuckDB's own parse of a mapping's SELECT: what it names, and a `source_row` put into it. */

import type { DuckDBConnection } from '@duckdb/node-api'
import { readSyntax } from '../duckdb.ts'
import { UserError } from '../errors.ts'
import type { Mapping } from './mapping.ts'

/** A part of the tree, as DuckDB writes it. */
type Tree = Readonly<Record<string, unknown>>

interface SelectNode extends Tree {
  readonly type: string
  readonly select_list?: unknown[]
  readonly left?: SelectNode
  readonly right?: SelectNode
}

export interface SelectTree {
  readonly statements: readonly { readonly node: SelectNode }[]
}

interface Parsed extends SelectTree {
  readonly error: boolean
  readonly error_message?: string
}

/** @throws UserError LPA-MAPPING-SQL when the mapping's text is not exactly one SELECT. */
export async function parseSelect(
  connection: DuckDBConnection,
  { sql, path }: Pick<Mapping, 'sql' | 'path'>,
): Promise<SelectTree> {
  const tree = (await readSyntax(connection, sql, exactNumber)) as Parsed
  if (!tree.error && tree.statements.length === 1) return tree
  const why = tree.error
    ? firstLine(tree.error_message ?? '')
    : `It has ${tree.statements.length} statements.`
  throw new UserError('LPA-MAPPING-SQL', `It is not one SELECT. ${why}`, {
    exit: 'config',
    next: 'Write one: select … from source',
    where: path,
  })
}

export function firstLine(message: string): string {
  return message.split('\n')[0] ?? ''
}

/** The statement with `source_row` as a further column of its SELECT, or of each one that it puts together. */
export async function withSourceRow(connection: DuckDBConnection, tree: SelectTree): Promise<string> {
  for (const { select_list } of outermost(tree))
    select_list?.push({
      class: 'COLUMN_REF',
      type: 'COLUMN_REF',
      alias: '',
      column_names: ['source_row'],
    })
  const back = await connection.runAndReadAll('select json_deserialize_sql($tree::json)', {
    tree: JSON.stringify(tree),
  })
  return String(back.getRows()[0]?.[0])
}

/** The SELECTs that give the statement's rows: several under set operations. */
function outermost(tree: SelectTree): SelectNode[] {
  const nodes = (node: SelectNode): SelectNode[] =>
    node.type === 'SELECT_NODE'
      ? [node]
      : [node.left, node.right].flatMap((side) => (side ? nodes(side) : []))
  return tree.statements.flatMap(({ node }) => nodes(node))
}

/** The names of columns that the statement gives as they are under the name of `output`. */
export function takenAs(tree: SelectTree, output: string): string[] {
  const items = outermost(tree).flatMap((node) => asArray(node.select_list))
  return items.flatMap(({ alias, column_names: names }) => {
    const name = Array.isArray(names) ? String(names.at(-1)) : undefined
    return name !== undefined && String(alias || name).toLowerCase() === output ? [name] : []
  })
}

/** Whether its rows are those of `source` itself, and what it calls a column is one there. */
export function readsSourceOnly(tree: SelectTree): boolean {
  return outermost(tree).every(({ from_table: from }) => isSource(from as Tree | undefined))
}

function isSource(from: Tree | undefined): boolean {
  return String(from?.table_name).toLowerCase() === 'source'
}

/** Of each expression that the statement gives under the name of `output`: the columns that it takes, by all parts of their names. */
export function takenFor(tree: SelectTree, output: string): (readonly string[])[][] {
  const refs = (value: unknown): (readonly string[])[] => {
    if (typeof value !== 'object' || value === null) return []
    const { column_names: names } = value as Tree
    if (Array.isArray(names)) return [names.map((name) => String(name).toLowerCase())]
    return Object.values(value).flatMap(refs)
  }
  const items = outermost(tree).flatMap((node) => asArray(node.select_list))
  return items
    .filter(({ alias, column_names: names }) => {
      const own = Array.isArray(names) ? names.at(-1) : ''
      return String(alias || own).toLowerCase() === output
    })
    .map(refs)
}

/** Whether it gives all columns of `source` as they are, by a `*`. */
export function passesSourceOn(tree: SelectTree): boolean {
  return outermost(tree).some((node) => hasStar(node) && isSource(node.from_table as Tree | undefined))
}

export interface Named {
  /** Every part of every name by which the statement refers to a column: more than columns of `source`. */
  readonly names: ReadonlySet<string>
  /** Whether a `*` gives the statement's columns. */
  readonly endsInStar: boolean
  /** What takes columns without naming them, in words; a `*` in a SELECT's list only passes them on. */
  readonly unnamed: string | undefined
}

/** What a statement names. Texts count where DuckDB takes them for names. */
export function namedIn(tree: SelectTree): Named {
  const names = new Set<string>()
  let unnamed: string | undefined
  const add = (values: unknown) => {
    for (const value of Array.isArray(values) ? values : []) if (typeof value === 'string') names.add(value)
  }
  const walk = (value: unknown, isListed = false): void => {
    if (Array.isArray(value)) for (const one of value) walk(one, isListed)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return
    const node = value as Tree
    add(node.column_names)
    add(node.using_columns)
    if (isExtract(node)) add(asArray(node.children).map(textOf))
    // Of UNPIVOT … ON a, b.
    for (const { values } of asArray(node.entries)) add(asArray(values).map((text) => text.value))
    if (node.class === 'STAR') {
      add(asArray(node.rename_list).map(({ key }) => (key as Tree | undefined)?.column))
      if (node.columns === true) unnamed ??= 'COLUMNS()'
      else if (!isListed) unnamed ??= 'a * outside the list of a SELECT'
    }
    if (node.class === 'POSITIONAL_REFERENCE') unnamed ??= 'a column by its place (#1)'
    if (node.ref_type === 'NATURAL') unnamed ??= 'a natural join'
    if (renamesByPlace(node)) unnamed ??= 'columns by their place, as in source(a, b)'
    for (const [key, child] of Object.entries(node)) walk(child, key === 'select_list')
  }
  walk(tree.statements)
  return { names, unnamed, endsInStar: outermost(tree).some(hasStar) }
}

function asArray(value: unknown): Tree[] {
  return Array.isArray(value) ? value : []
}

/** The text of a constant: `struct_extract(source, 'name')` is `source.name`. */
function textOf({ value }: Tree): unknown {
  return (value as Tree | undefined)?.value
}

function isExtract({ type, function_name }: Tree): boolean {
  return (
    /^(STRUCT|ARRAY)_EXTRACT$/.test(String(type)) || /^(struct|array)_extract$/.test(String(function_name))
  )
}

function hasStar(node: Tree | undefined): boolean {
  return asArray(node?.select_list).some((item) => item.class === 'STAR')
}

/** New names for the columns that a `*` gives: of a table, of a subquery, of a CTE. */
function renamesByPlace(node: Tree): boolean {
  if (asArray(node.column_name_alias).length === 0 && asArray(node.aliases).length === 0) return false
  if (node.type === 'BASE_TABLE') return String(node.table_name).toLowerCase() === 'source'
  const inner = ((node.subquery ?? node.query) as Tree | undefined)?.node as Tree | undefined
  return hasStar(inner) && (inner?.from_table as Tree | undefined)?.type !== 'EXPRESSION_LIST'
}

/** DuckDB's trees hold integers beyond 2^53, as places and as values: they go back as they came. */
function exactNumber(_key: string, value: unknown, context?: { source?: string }): unknown {
  const isExact = typeof value !== 'number' || Number.isSafeInteger(value)
  return isExact ? value : (JSON as unknown as RawJson).rawJSON(context?.source ?? String(value))
}

/** Part of Node from 22 on, and not yet of TypeScript's library. */
interface RawJson {
  rawJSON(text: string): unknown
}
