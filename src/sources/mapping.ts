/** A mapping: the header comments and the one SELECT of a mapping file. Grammar: README, "Your own data". */

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { UserError } from '../errors.ts'
import type { PersonalClass } from '../pseudonym.ts'
import { listSql, packageRoot, parseSql, readSql, type SqlFile } from '../sql-files.ts'
import { type JsonPath, parseJsonPath } from './json-path.ts'

export const ENTITIES = [
  'learner',
  'course',
  'course_category',
  'instructor',
  'enrollment',
  'learning_event',
  'course_completion',
] as const
export type Entity = (typeof ENTITIES)[number]

/** How an export behaves over time: more rows, everything anew, or changes and deletes. */
export type ExportKind = 'append' | 'snapshot' | 'delta'

/** A column of `source`: a CSV column of that name, or the value at a path of a JSON record. */
export interface SourceColumn {
  readonly name: string
  readonly path: JsonPath
  readonly type: 'text' | 'number' | 'json'
}

export interface Personal {
  readonly target: string
  /** undefined: the value is dropped (name, ip, phone, …). */
  readonly kind: PersonalClass | undefined
  /** Each element of a JSON list, or of a `;`-separated text. */
  readonly list: boolean
  /** A column or path that names the id space; else the source's own. */
  readonly spaceFrom: string | undefined
}

export interface Mapping {
  readonly name: string
  readonly path: string
  readonly entity: Entity
  readonly recognise: readonly string[]
  /** undefined: all columns of a CSV; of JSON only `payload`. */
  readonly columns: readonly SourceColumn[] | undefined
  readonly personal: readonly Personal[]
  readonly notPersonal: ReadonlySet<string>
  readonly generalise: readonly { target: string; to: 'year' | 'month' | number }[]
  readonly export: ExportKind
  readonly nulls: readonly string[]
  readonly keep: readonly JsonPath[]
  /** `-- header: none`: the CSV has no header line; its columns are column0, column1, … */
  readonly hasHeader: boolean
  readonly sql: string
  readonly sha256: string
}

/** The packaged mapping of that name, or a user's own file (a name that ends in `.sql`). */
export function readMapping(nameOrFile: string): Mapping {
  if (!nameOrFile.endsWith('.sql')) return fromSqlFile(readSql('mappings', nameOrFile))
  const path = resolve(nameOrFile)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new UserError('LPA-MAPPING-MISSING', `The mapping ${nameOrFile} cannot be read.`, {
      exit: 'noInput',
      next: `Packaged mappings: ${listSql('mappings').join(', ')}`,
      cause,
    })
  }
  return fromSqlFile(parseSql(text, { kind: 'mappings', name: nameOrFile, path }))
}

/** Every packaged mapping, for recognising a file by its columns. */
export function packagedMappings(): Mapping[] {
  return listSql('mappings').map((name) => fromSqlFile(readSql('mappings', name)))
}

const KNOWN = [
  'title',
  'entity',
  'recognise',
  'columns',
  'personal',
  'not-personal',
  'generalise',
  'export',
  'nulls',
  'keep',
  'header',
]

function fromSqlFile(file: SqlFile): Mapping {
  // A header is one line; it may be said again. What runs on below it is a comment of the SELECT.
  const values = (key: string) => (file.header[key] ?? []).map((value) => value.split('\n')[0] ?? '')
  const all = (key: string) => splitList(values(key).join(', '))
  const one = (key: string) => values(key)[0]?.trim()
  const fail = (message: string, next: string): never => {
    throw new UserError('LPA-MAPPING-HEADER', `${file.name}: ${message}`, { exit: 'config', next })
  }
  for (const key of Object.keys(file.header)) {
    if (!KNOWN.includes(key)) fail(`there is no header "-- ${key}:".`, `Headers: ${KNOWN.join(', ')}`)
  }
  const entity = one('entity') as Entity
  if (!ENTITIES.includes(entity)) {
    fail('it does not say what it makes.', `Add a first line: -- entity: one of ${ENTITIES.join(', ')}`)
  }
  const exportKind = (one('export') ?? 'append') as ExportKind
  if (!['append', 'snapshot', 'delta'].includes(exportKind)) {
    fail(`"-- export: ${exportKind}" is unknown.`, 'Write append, snapshot or delta.')
  }
  if (file.body === '') fail('it has no SELECT.', 'Write one: select … from source')
  const arrow = /->>?\s*'(?!\$)/.exec(file.body)
  if (arrow) {
    fail(
      "it reads a JSON key with ->> 'key'.",
      "Write whole paths, so that lpa knows what to keep: payload ->> '$.a.b'",
    )
  }
  const path = (text: string): JsonPath =>
    parseJsonPath(text)?.keys ??
    fail(`"${text}" is no JSON path.`, 'Write it like $.context.course or $."odd key"')
  return {
    name: file.name,
    path: file.path,
    entity,
    recognise: all('recognise'),
    columns: file.header['columns'] ? all('columns').map((item) => parseColumn(item, path)) : undefined,
    personal: all('personal').map((item) => parsePersonal(item, fail)),
    notPersonal: new Set(all('not-personal')),
    generalise: all('generalise').map((item) => parseGeneralise(item, fail)),
    export: exportKind,
    nulls: all('nulls'),
    keep: [...all('keep').map(path), ...literalPaths(file.body)],
    hasHeader: one('header') !== 'none',
    sql: file.body,
    sha256: createHash('sha256').update(JSON.stringify(file.header)).update(file.body).digest('hex'),
  }
}

/** Paths that the SELECT itself reads: `payload ->> '$.a.b'`. What it reads, the raw payload keeps. */
function literalPaths(sql: string): JsonPath[] {
  return [...sql.matchAll(/\bpayload\s*->>?\s*'(\$[^']*)'/g)].map(
    ([, text]) => parseJsonPath(text ?? '')?.keys ?? [],
  )
}

function parseColumn(item: string, path: (text: string) => JsonPath): SourceColumn {
  const [, name = item, at, type] = /^(\S+?)(?:\s*=\s*(\$.*?))?(?:\s+(number|json))?$/.exec(item) ?? []
  return {
    name,
    path: at ? path(at) : [name],
    type: (type as SourceColumn['type'] | undefined) ?? 'text',
  }
}

function parsePersonal(item: string, fail: (message: string, next: string) => never): Personal {
  const match = /^(.+?)\(([a-z_]+)(\[\])?(?:\s*@\s*(.+))?\)$/.exec(item)
  if (!match) {
    return fail(
      `"-- personal: ${item}" is not readable.`,
      'Write column(class): student_no(learner), mail(email)',
    )
  }
  const [, target = '', kind = '', list, spaceFrom] = match
  const hashed = ['learner', 'instructor', 'email'].includes(kind)
  return {
    target,
    kind: hashed ? (kind as PersonalClass) : undefined,
    list: list !== undefined,
    spaceFrom,
  }
}

function parseGeneralise(item: string, fail: (message: string, next: string) => never) {
  const match = /^(.+?)\((year|month|\d{1,2})\)$/.exec(item)
  if (!match) {
    return fail(
      `"-- generalise: ${item}" is not readable.`,
      'Write column(year), column(month) or column(2) for two letters',
    )
  }
  const [, target = '', to = ''] = match
  return { target, to: to === 'year' || to === 'month' ? to : Number(to) } as const
}

/** Splits at commas outside quotes and brackets. */
function splitList(text: string): string[] {
  const items = text.match(/(?:"(?:[^"\\]|\\.)*"|\([^)]*\)|[^,])+/g) ?? []
  return items.map((item) => item.replace(/\s+/g, ' ').trim()).filter((item) => item !== '')
}

/** The folder of the packaged mappings, for messages. */
export function mappingsFolder(): string {
  return resolve(packageRoot(), 'sql', 'mappings')
}
