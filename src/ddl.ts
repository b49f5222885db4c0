/** Reads the declared tables of `schema/ddl_*.sql`: what `create table` says, and the comments above it. */

import type { TableDeclaration } from './types.ts'

/**
 * The tables and views of one DDL text, in its order. Understands what our own files use: one statement each,
 * a column a line, `-- grain:`, `-- key:`, `-- cluster:` and `-- partition: month of` comments directly above.
 */
export function parseDdl(text: string): TableDeclaration[] {
  const declarations: TableDeclaration[] = []
  const pattern = /((?:^--[^\n]*\n)*)^create (table|view) (\S+)([\s\S]*?);$/gm
  for (const [, comments = '', kind, name = '', rest = ''] of text.matchAll(pattern)) {
    declarations.push({
      kind: kind as 'table' | 'view',
      name,
      columns: kind === 'table' ? parseColumns(rest) : [],
      grain: /^-- grain: (.+)$/m.exec(comments)?.[1],
      key: commentList(comments, 'key'),
      cluster: commentList(comments, 'cluster'),
      partitionMonth: /^-- partition: month of (\w+)/m.exec(comments)?.[1],
      sql: `create ${kind} ${name}${rest}`,
    })
  }
  return declarations
}

/** The SELECT of a declared view. */
export function viewBody({ sql }: Pick<TableDeclaration, 'sql'>): string {
  return sql.replace(/^create view \S+ as\s+/, '')
}

/** Dimensions with one row a key; of those with history a key names several, which no foreign key can say. */
const DIMENSIONS = ['dim_date.date_key', 'dim_course_category.category_key', 'dim_instructor.instructor_key']
/** Their current versions are views. */
const CURRENT = ['learner.learner_key', 'course.course_key']

interface Reference {
  /** `core.dim_date` */
  readonly table: string
  readonly column: string
}

/** What a column of core refers to by its name: `enrolled_date_key` to `core.dim_date (date_key)`. */
export function referenceOf(table: string, column: string, { toViews = false } = {}): Reference | undefined {
  if (!table.startsWith('core.')) return undefined
  for (const name of toViews ? [...DIMENSIONS, ...CURRENT] : DIMENSIONS) {
    const [dimension, key = ''] = name.split('.')
    if (!`_${column}`.endsWith(`_${key}`)) continue
    return table === `core.${dimension}` ? undefined : { table: `core.${dimension}`, column: key }
  }
  return undefined
}

function parseColumns(body: string): { name: string; type: string; required: boolean }[] {
  const columns = []
  for (const line of body.split('\n')) {
    const match = /^ {2}(\w+) (\w+(?:\(\d+(?:, ?\d+)?\))?)( not null)?,?$/.exec(line)
    if (match) columns.push({ name: match[1] ?? '', type: match[2] ?? '', required: Boolean(match[3]) })
  }
  return columns
}

function commentList(comments: string, name: string): string[] {
  const match = new RegExp(`^-- ${name}: (.+)$`, 'm').exec(comments)
  return match?.[1]?.split(',').map((column) => column.trim()) ?? []
}
