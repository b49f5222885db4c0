/** A mapping: the header comments and the one SELECT of a mapping file. Grammar: README, "Your own exports". */

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { didYouMean } from '../did-you-mean.ts'
import { ENTITIES, type Entity } from '../entities.ts'
import { UserError } from '../errors.ts'
import type { PersonalClass } from '../pseudonym.ts'
import { listSql, parseSql, readSql, type SqlFile } from '../sql-files.ts'
import { type JsonPath, parseJsonPath } from './json-path.ts'

/** What `-- generalise:` makes of a value: its year, its month, its first letters, or what a pattern finds in it. */
export type Coarse = 'year' | 'month' | number | { readonly pattern: string }

/** How an export behaves over time: more rows, everything anew, or changes and deletes. */
export type ExportKind = 'append' | 'snapshot' | 'delta'

/** An export of whose kind a file beside it tells: a CSV of names and values, in which `name` has one of the values. */
export interface ExportBy {
  readonly file: string
  readonly name: string
  readonly kinds: ReadonlyMap<string, ExportKind>
}

/** A column of `source`: a CSV column of that name, or the value at a path of a JSON record. */
export interface SourceColumn {
  readonly name: string
  readonly path: JsonPath
  /** Where the value is when it is not there: of all these places the first that holds a text or a number counts. */
  readonly otherPaths?: readonly JsonPath[]
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

/** A value that is left out where another one, a column or a path, is one of these texts, or else is none of them. */
export interface ConditionalDrop {
  readonly target: string
  readonly when: 'if' | 'unless'
  readonly other: string
  readonly values: readonly string[]
}

export interface Mapping {
  readonly name: string
  readonly path: string
  readonly entity: Entity
  /** What tells an input, each list by itself. */
  readonly recognise: readonly (readonly string[])[]
  /** Where in each JSON value of a file its records are, as an array; a value that has none is a record itself. */
  readonly records: JsonPath | undefined
  /** Only where the first value has such an array; else the input is read as it is, in parallel. */
  readonly recordsIfFirst: boolean
  /** Paths at which JSON may be written as a text: it is read as that JSON. */
  readonly parse: readonly JsonPath[]
  /** undefined: the columns of a table that the SELECT names; of JSON only `payload`. */
  readonly columns: readonly SourceColumn[] | undefined
  readonly personal: readonly Personal[]
  readonly dropIf: readonly ConditionalDrop[]
  readonly notPersonal: ReadonlySet<string>
  readonly generalise: readonly { target: string; to: Coarse }[]
  readonly export: ExportKind
  /** `export` is its first kind until that file was read. */
  readonly exportBy: ExportBy | undefined
  readonly nulls: readonly string[]
  readonly keep: readonly JsonPath[]
  /** `-- header: none`: the CSV has no header line; its columns are column0, column1, … */
  readonly hasHeader: boolean
  readonly sql: string
  readonly sha256: string
}

/** How a load says that it is made of what raw kept: loading its input again may give more, and takes its place. */
export function fromRaw(sha256: string): string {
  return createHash('sha256').update(`raw:${sha256}`).digest('hex')
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
  // A mapping is known by the name of its file, from wherever it is called.
  return fromSqlFile(parseSql(text, { kind: 'mappings', name: basename(path, '.sql'), path }))
}

/** Every packaged mapping, for recognising a file by its columns. */
export function packagedMappings(): Mapping[] {
  return packagedFiles()
    .filter((file) => !isOfNothing(file))
    .map(fromSqlFile)
}

/** What tells files of known formats of which nothing is loaded. */
export function passedOver(): (readonly string[])[] {
  return packagedFiles().filter(isOfNothing).flatMap(recogniseOf)
}

function packagedFiles(): SqlFile[] {
  return listSql('mappings').map((name) => readSql('mappings', name))
}

/** `-- entity: none` */
function isOfNothing({ header }: SqlFile): boolean {
  return header.entity?.[0]?.trim() === 'none'
}

function recogniseOf(file: SqlFile): string[][] {
  const lists = valuesOf(file, 'recognise').join(', ').split(OR_LIST)
  return lists.map(splitList).filter((keys) => keys.length > 0)
}

/** A header is one line and runs on after a comma; it may be said again. Other lines below are comments. */
function valuesOf({ header }: SqlFile, key: string): string[] {
  return (header[key] ?? []).map(
    (value) => /^.*(?:(?<=[,|])\n.*)*/.exec(value)?.[0].replaceAll('\n', ' ') ?? '',
  )
}

const KNOWN = [
  'title',
  'entity',
  'recognise',
  'records',
  'parse',
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
  const values = (key: string) => valuesOf(file, key)
  const all = (key: string) => splitList(values(key).join(', '))
  const one = (key: string) => values(key)[0]?.trim()
  const fail = (message: string, next: string): never => {
    throw new UserError('LPA-MAPPING-HEADER', message, { exit: 'config', where: file.path, next })
  }
  for (const key of Object.keys(file.header)) {
    const near = didYouMean(key, KNOWN)
    const hint = near ? ` Did you mean ${near}?` : ''
    if (!KNOWN.includes(key)) fail(`There is no header "-- ${key}:".${hint}`, `Headers: ${KNOWN.join(', ')}`)
  }
  const entity = one('entity') as Entity
  if (entity && !ENTITIES.includes(entity)) {
    const near = didYouMean(entity, ENTITIES)
    fail(
      `There is no entity "${entity}".${near ? ` Did you mean ${near}?` : ''}`,
      `There are: ${ENTITIES.join(', ')}.`,
    )
  }
  if (!entity) {
    fail('It does not say what it makes.', `Add a first line: -- entity: one of ${ENTITIES.join(', ')}`)
  }
  const exportBy = parseExportBy(one('export') ?? '')
  const [firstKind] = exportBy?.kinds.values() ?? []
  const exportKind = (firstKind ?? one('export') ?? 'append') as ExportKind
  if (![...(exportBy?.kinds.values() ?? [exportKind])].every((kind) => EXPORTS.includes(kind))) {
    fail(`"-- export: ${one('export')}" is unknown.`, 'Write append, snapshot or delta.')
  }
  if (exportKind === 'delta' && entity === 'learning_event') {
    fail('Events are taken back, never changed: a delta of them is none.', 'Write -- export: append.')
  }
  if (file.body === '') fail('It has no SELECT.', 'Write one: select … from source')
  if (/\bpayload\s*(->>?\s*'(?!\$)|\.\s*\w)/.test(file.body)) {
    fail(
      'It reads a key of payload without a path.',
      "Write whole paths, so that lpa knows what to keep: payload ->> '$.a.b'",
    )
  }
  if (!['none', 'yes', undefined].includes(one('header'))) {
    fail(`"-- header: ${one('header')}" is unknown.`, 'Write -- header: none, or leave it out.')
  }
  const path = (text: string): JsonPath => {
    const keys = parseJsonPath(text)?.keys ?? []
    return keys.length > 0
      ? keys
      : fail(`"${text}" is no JSON path.`, 'Write it like $.context.course or $."odd key"')
  }
  const whole = (target: string): string => {
    const parsed = target.startsWith('$') ? parseJsonPath(target) : { keys: [target], isWhole: true }
    if (parsed?.isWhole && parsed.keys.length > 0) return target
    return fail(
      `"${target}" is no path to one value.`,
      'Write it like $.actor.name. For what is in a list, name the list: $.people(drop) or $.ids(learner[])',
    )
  }
  const records = one('records') ?? ''
  return {
    name: file.name,
    path: file.path,
    entity,
    recognise: recogniseOf(file),
    records: records === '' ? undefined : path(records.replace(IF_FIRST, '')),
    recordsIfFirst: IF_FIRST.test(records),
    parse: all('parse').map(path),
    columns: file.header.columns ? all('columns').map((item) => parseColumn(item, path, fail)) : undefined,
    personal: all('personal')
      .filter((item) => !DROP_IF.test(item))
      .map((item) => parsePersonal(item, whole, fail)),
    dropIf: all('personal').flatMap((item) => parseDropIf(item, whole)),
    notPersonal: new Set(all('not-personal').map(unquoted)),
    generalise: all('generalise').map((item) => parseGeneralise(item, whole, fail)),
    export: exportKind,
    exportBy,
    nulls: all('nulls').map(unquoted),
    keep: [...all('keep').map(path), ...literalPaths(file.body)],
    hasHeader: one('header') !== 'none',
    sql: file.body,
    sha256: createHash('sha256').update(JSON.stringify(file.header)).update(file.body).digest('hex'),
  }
}

/** Paths that the SELECT itself reads, `payload ->> '$.a.b'`: what it reads, the raw payload keeps. */
function literalPaths(sql: string): JsonPath[] {
  return [...sql.matchAll(/\bpayload\s*(?:->>?|,)\s*'(\$[^']*)'/g)]
    .map(([, text]) => parseJsonPath(text ?? '')?.keys ?? [])
    .filter((keys) => keys.length > 0)
}

type Fail = (message: string, next: string) => never

const NAME = /^("(?:[^"\\]|\\.)*"|\S+?)(?:\s*=\s*(\$.*?))?(?:\s+(text|number|json))?$/
const EXPORTS: readonly string[] = ['append', 'snapshot', 'delta']
/** `-- records: $.statements (if first)` */
const IF_FIRST = /\s*\(if first\)$/
const EXPORT_BY = /^by (\S+) (\S+) \((.+)\)$/

function parseExportBy(text: string): ExportBy | undefined {
  const [, file = '', name = '', kinds = ''] = EXPORT_BY.exec(text) ?? []
  if (file === '') return undefined
  const pairs = splitList(kinds).map((pair) => pair.split(/\s*=\s*/) as [string, ExportKind])
  return { file, name, kinds: new Map(pairs) }
}

/** Between lists that each tell an input. */
const OR_LIST = /\s*\|\s*/
/** Between the places of one column. */
const OR = /\s*\|\s*(?=\$)/

function parseColumn(item: string, path: (text: string) => JsonPath, fail: Fail): SourceColumn {
  const match = NAME.exec(item)
  if (!match) {
    return fail(
      `"-- columns: ${item}" is not readable.`,
      'Write name, name number, or name = $.path.in.the.record (text, number or json behind it)',
    )
  }
  const name = unquoted(match[1] ?? '')
  const type = (match[3] as SourceColumn['type'] | undefined) ?? 'text'
  const [first = [name], ...otherPaths] = match[2] ? match[2].split(OR).map(path) : []
  if (otherPaths.length === 0) return { name, path: first, type }
  if (type === 'json') {
    fail(
      `"-- columns: ${item}" has several places of JSON.`,
      'Make it a column for each, and choose in the SELECT.',
    )
  }
  return { name, path: first, otherPaths, type }
}

/** Classes whose values are hashed, and those whose values are left out. */
const HASHED: readonly string[] = ['learner', 'instructor', 'email']
const DROPPED = ['drop', 'name', 'user_name', 'phone', 'address', 'ip', 'birth_date', 'other']

const DROP_IF = /^(.+?)\s*\(\s*drop (if|unless) (.+?)\s*=\s*(.+?)\s*\)$/

function parseDropIf(item: string, whole: (target: string) => string): ConditionalDrop[] {
  const [, target = '', when = '', other = '', values = ''] = DROP_IF.exec(item) ?? []
  if (target === '') return []
  const each = values.split('|').map((value) => unquoted(value.trim()))
  return [
    {
      target: whole(unquoted(target)),
      when: when as ConditionalDrop['when'],
      other: whole(unquoted(other)),
      values: each,
    },
  ]
}

function parsePersonal(item: string, whole: (target: string) => string, fail: Fail): Personal {
  const match = /^(.+?)\s*\(\s*([\w-]+)\s*(\[\])?(?:\s*@\s*(.+?))?\s*\)$/.exec(item)
  if (!match) {
    return fail(
      `"-- personal: ${item}" is not readable.`,
      'Write column(class): student_no(learner), mail(email)',
    )
  }
  const [, target = '', kind = '', list, spaceFrom] = match
  if (!HASHED.includes(kind) && !DROPPED.includes(kind)) {
    const near = didYouMean(kind, [...HASHED, ...DROPPED])
    fail(
      `"-- personal: ${item}": there is no class "${kind}".${near ? ` Did you mean ${near}?` : ''}`,
      `Hashed: ${HASHED.join(', ')}. Left out: ${DROPPED.join(', ')}.`,
    )
  }
  return {
    target: whole(unquoted(target)),
    kind: HASHED.includes(kind) ? (kind as PersonalClass) : undefined,
    list: list !== undefined,
    spaceFrom: spaceFrom === undefined ? undefined : unquoted(spaceFrom),
  }
}

function parseGeneralise(item: string, whole: (target: string) => string, fail: Fail) {
  const match = /^(.+?)\s*\(\s*(year|month|[1-9]\d?|"(?:[^"\\]|\\.)+")\s*\)$/.exec(item)
  if (!match) {
    return fail(
      `"-- generalise: ${item}" is not readable.`,
      'Write column(year), column(month), column(2) for two letters, or column("pattern")',
    )
  }
  const [, target = '', to = ''] = match
  return { target: whole(unquoted(target)), to: coarseOf(to) }
}

function coarseOf(to: string): Coarse {
  if (to === 'year' || to === 'month') return to
  // As it is written: backslashes are the pattern's.
  return to.startsWith('"') ? { pattern: to.slice(1, -1) } : Number(to)
}

/** Names with commas or brackets are written in quotes. */
function unquoted(text: string): string {
  return /^".*"$/s.test(text) ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text
}

/** Splits at commas outside quotes and brackets. */
function splitList(text: string): string[] {
  const items = text.match(/(?:"(?:[^"\\]|\\.)*"|\((?:"(?:[^"\\]|\\.)*"|[^)"])*\)|[^,])+/g) ?? []
  return items.map((item) => item.replace(/\s+/g, ' ').trim()).filter((item) => item !== '')
}
