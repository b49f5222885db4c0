/**
 * Stage one of the front end, the only code that sees clear values: reads an input with its dialect pinned,
 * keeps the columns and paths that the mapping lists, replaces personal ones by pseudonyms, and writes Parquet.
 * DuckDB runs in memory without a spill folder, with no sort, join or window: what leaves it is pseudonymised.
 */

import { openDuckDB, quoteName, quoteText, readNumber, readRows } from '../duckdb.ts'
import { UserError } from '../errors.ts'
import { type PseudonymKey, pads } from '../pseudonym.ts'
import type { Input } from './input.ts'
import { formatJsonPath, type JsonPath, parseJsonPath } from './json-path.ts'
import type { Mapping, Personal, SourceColumn } from './mapping.ts'

/** One column of the file that stage one writes. */
export interface Field extends SourceColumn {
  readonly personal: Personal | undefined
  readonly generaliseTo: 'year' | 'month' | number | undefined
  /** Whether the mapping's SELECT sees it as a column; all fields are part of `payload`. */
  readonly isColumn: boolean
}

export interface StageOneOptions {
  readonly input: Input
  /** Where the engine reads the text: the file itself, or a pipe that carries it. */
  readonly textPath: string
  readonly header: readonly string[]
  readonly mapping: Mapping
  readonly fields: readonly Field[]
  readonly key: PseudonymKey
  readonly idSpace: string
  readonly timezone: string
  readonly threads?: number | undefined
  readonly target: string
  readonly signal: AbortSignal
}

/** A CSV row that is no row: its number among all rows (from 1), and why. */
export interface BrokenRow {
  readonly record: number
  readonly code: string
  readonly reason: string
}

export interface StageOneResult {
  /** Records written, well-formed or not. */
  readonly written: number
  /** CSV rows that could not be read at all. */
  readonly broken: readonly BrokenRow[]
}

const MEMORY_LIMIT = '600MB'
const ASCII_SPACE = `' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13)`
const EMAIL_SHAPE = '[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+[.][A-Za-z]{2,}'

/** The fields that a mapping needs of this input. */
export function fieldsOf(mapping: Mapping, header: readonly string[] | undefined): Field[] {
  const columns: SourceColumn[] =
    mapping.columns?.slice() ?? (header ?? []).map((name) => ({ name, path: [name], type: 'text' as const }))
  const fields: Field[] = []
  const add = (column: SourceColumn, isColumn: boolean) => {
    const personal = mapping.personal.find((item) => refersTo(item.target, column))
    if (personal && !personal.kind) return
    const coarse = mapping.generalise.find((item) => refersTo(item.target, column))
    fields.push({ ...column, personal, generaliseTo: coarse?.to, isColumn })
  }
  for (const column of columns) add(column, true)
  const hidden = [...mapping.personal.map((item) => item.target), ...mapping.keep.map(formatJsonPath)]
  for (const target of hidden) {
    const path = parseJsonPath(target)?.keys
    if (!path || fields.some((field) => isPrefix(field.path, path))) continue
    if (mapping.personal.some((item) => !item.kind && item.target === target)) continue
    add({ name: `kept_${fields.length}`, path, type: 'json' }, false)
  }
  for (const { spaceFrom } of mapping.personal) {
    if (spaceFrom && !fields.some((field) => refersTo(spaceFrom, field))) {
      const path = parseJsonPath(spaceFrom)?.keys ?? [spaceFrom]
      add({ name: `kept_${fields.length}`, path, type: 'text' }, false)
    }
  }
  return fields
}

export function refersTo(target: string, column: SourceColumn): boolean {
  if (target === column.name) return true
  const path = parseJsonPath(target)?.keys
  return path !== undefined && path.length === column.path.length && isPrefix(column.path, path)
}

export function isPrefix(prefix: JsonPath, path: JsonPath): boolean {
  return prefix.length <= path.length && prefix.every((key, index) => key === path[index])
}

export async function stageOne(options: StageOneOptions): Promise<StageOneResult> {
  const { input, mapping, fields, target, signal } = options
  await using database = await openDuckDB({
    memoryLimit: MEMORY_LIMIT,
    spillFolder: '',
    timezone: options.timezone,
    threads: options.threads,
  })
  const { connection } = database
  const { inner, outer } = pads(options.key)
  await connection.run(
    `set variable lpa_inner = unhex('${inner}'); set variable lpa_outer = unhex('${outer}')`,
  )
  await connection.run(`create temp macro lpa_hmac(message) as
    sha256(getvariable('lpa_outer') || unhex(sha256(getvariable('lpa_inner') || encode(message))))`)
  await connection.run(`create temp macro lpa_guard(value, name) as case
    when contains(value, '@') and regexp_matches(value, '${EMAIL_SHAPE}') then error('lpa-personal:' || name) else value end`)
  const stop = () => connection.interrupt()
  signal.addEventListener('abort', stop, { once: true })
  try {
    const isText = input.format === 'ndjson' || input.format === 'json'
    const columns = fields.map((field) => {
      const value = isText ? jsonValue(field) : csvValue(field, options.header)
      return `${fieldValue(field, value, options)} as ${quoteName(field.name)}`
    })
    const status = isText
      ? [
          'ok',
          'case when not ok then strlen(line) end as byte_length',
          `case when not ok then lpa_hmac('lpa:v1:content::' || line) end as content_hmac`,
        ]
      : ['true as ok', 'cast(null as bigint) as byte_length', 'cast(null as varchar) as content_hmac']
    const from = isText ? jsonRelation(options, fields) : tableRelation(options)
    await connection.run(
      `copy (select ${[...columns, ...status].join(',\n  ')} from ${from})
       to ${quoteText(target)} (format parquet, compression lz4, parquet_version v2)`,
    )
    const written = await readNumber(
      connection,
      `select num_rows from parquet_file_metadata(${quoteText(target)})`,
    )
    const broken = input.format === 'csv' ? await brokenRows(connection) : []
    return { written, broken }
  } catch (error) {
    throw readFailure(input, mapping, error)
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function jsonRelation({ input, textPath }: StageOneOptions, fields: readonly Field[]): string {
  const lines =
    input.format === 'json'
      ? `(select json::varchar as line from read_json_objects(${quoteText(textPath)}, format = 'array', maximum_object_size = 67108864))`
      : `(select line from read_csv(${quoteText(textPath)}, columns = {'line': 'VARCHAR'}, delim = '', quote = '', escape = '',
           header = false, auto_detect = false, strict_mode = false)
         where line is not null and (line[1] = '{' or trim(line, ${ASCII_SPACE}) <> ''))`
  const spec = quoteText(JSON.stringify(structure(fields)))
  return `(select line, ok, case when ok then json_transform(line, ${spec}) end as r
    from (select line, json_valid(line) and (line[1] = '{' or ltrim(line, ${ASCII_SPACE})[1] = '{') as ok from ${lines}))`
}

/** DuckDB's structure for json_transform: nested keys down to texts, or to JSON kept whole. */
function structure(fields: readonly Field[]): Record<string, unknown> {
  const root: Record<string, unknown> = {}
  for (const field of fields) {
    if (ancestorOf(field, fields)) continue
    let node = root
    for (const key of field.path.slice(0, -1)) {
      node[key] ??= {}
      node = node[key] as Record<string, unknown>
    }
    node[field.path.at(-1) ?? ''] = field.type === 'json' || field.personal?.list ? 'JSON' : 'VARCHAR'
  }
  return root
}

/** The JSON field that holds this one inside itself. */
export function ancestorOf(field: Field, fields: readonly Field[]): Field | undefined {
  return fields.find(
    (other) =>
      other !== field &&
      other.type === 'json' &&
      other.path.length < field.path.length &&
      isPrefix(other.path, field.path),
  )
}

function jsonValue(field: Field): string {
  return `r${field.path.map((key) => `.${quoteName(key)}`).join('')}`
}

function csvValue(field: Field, header: readonly string[]): string {
  const name = field.path[0] ?? field.name
  return header.includes(name) ? quoteName(name) : 'cast(null as varchar)'
}

function fieldValue(field: Field, value: string, options: StageOneOptions): string {
  const { mapping, fields } = options
  const { personal } = field
  const nulls = mapping.nulls.map(quoteText).join(', ')
  const clean = nulls ? `case when ${value} in (${nulls}) then null else ${value} end` : value
  if (personal?.kind) {
    const space = personal.spaceFrom
      ? spaceValue(personal.spaceFrom, fields, options)
      : quoteText(options.idSpace)
    if (personal.list) {
      const items = `case when json_valid(${clean}) then cast(${clean} as varchar[]) else string_split(${clean}, ';') end`
      return `array_to_string(list_transform(list_filter(${items}, lambda x: trim(x, ${ASCII_SPACE}) <> ''),
        lambda x: ${pseudonymSql(personal.kind, space, 'x')}), ',')`
    }
    return `case when trim(${clean}, ${ASCII_SPACE}) <> '' then ${pseudonymSql(personal.kind, space, clean)} end`
  }
  if (field.generaliseTo === 'year') return `regexp_extract(${clean}, '\\d{4}')`
  if (field.generaliseTo === 'month') return `regexp_extract(${clean}, '\\d{4}-\\d\\d')`
  if (field.generaliseTo !== undefined) return `substr(${clean}, 1, ${field.generaliseTo})`
  if (mapping.notPersonal.has(field.name)) return clean
  return `lpa_guard(${clean}, ${quoteText(field.name)})`
}

/** The reference is `pseudonym` in src/pseudonym.ts; a test holds the two together. */
function pseudonymSql(kind: string, space: string, value: string): string {
  const stripped = `trim(${value}, ${ASCII_SPACE})`
  if (kind !== 'email') return `lpa_hmac('lpa:v1:${kind}:' || coalesce(${space}, '') || ':' || ${stripped})`
  const lower = `translate(${stripped}, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')`
  return `lpa_hmac('lpa:v1:email::' || regexp_replace(${lower}, '^mailto:', ''))`
}

function spaceValue(target: string, fields: readonly Field[], { input, header }: StageOneOptions): string {
  const field = fields.find((item) => refersTo(target, item))
  if (!field) return `''`
  return input.format === 'ndjson' || input.format === 'json' ? jsonValue(field) : csvValue(field, header)
}

function tableRelation({ input, textPath, header, mapping }: StageOneOptions): string {
  if (input.format === 'parquet')
    return `(select columns(*)::varchar from read_parquet(${quoteText(textPath)}))`
  const columns = header.map((name) => `${quoteText(name)}: 'VARCHAR'`).join(', ')
  return `read_csv(${quoteText(textPath)}, columns = {${columns}}, delim = ${quoteText(input.delimiter)}, quote = '"',
    escape = '"', header = ${mapping.hasHeader}, auto_detect = false, max_line_size = 8388608,
    buffer_size = 16777216, store_rejects = true)`
}

const CSV_FAULTS: Record<string, readonly [code: string, reason: string]> = {
  'MISSING COLUMNS': ['csv:missing-columns', 'the row has fewer columns than the header'],
  'TOO MANY COLUMNS': ['csv:too-many-columns', 'the row has more columns than the header'],
  'UNQUOTED VALUE': ['csv:quote', 'a quoted value goes on after its closing quote'],
  'LINE SIZE OVER MAXIMUM': ['csv:too-long', 'the row is longer than 8 MB'],
  'INVALID ENCODING': ['csv:encoding', 'the row is not UTF-8'],
  'INVALID STATE': ['csv:quote', 'the quotes of the row do not match'],
}

/** DuckDB keeps the faulty text beside each reject: it stays in this database, which dies with stage one. */
async function brokenRows(connection: Parameters<typeof readRows>[0]): Promise<BrokenRow[]> {
  const rows = await readRows<{ line: number; error_type: string }>(
    connection,
    'select line, min(cast(error_type as varchar)) as error_type from reject_errors group by line order by line',
  )
  return rows.map(({ line, error_type }) => {
    const [code, reason] = CSV_FAULTS[error_type] ?? ['csv:broken', 'the row cannot be read']
    return { record: line, code, reason }
  })
}

/** What DuckDB says of a file it cannot read holds the file's text: our errors never quote it. */
function readFailure(input: Input, mapping: Mapping, error: unknown): unknown {
  const message = error instanceof Error ? error.message : ''
  const personal = /lpa-personal:(\S+)/.exec(message)?.[1]
  if (personal) return looksPersonal(input.name, mapping, personal, 'holds e-mail addresses')
  if (!/Invalid Input|CSV Error|Malformed JSON|UTF-8|unicode|Conversion Error|Invalid unicode/i.test(message))
    return error
  const line = /on Line: (\d+)/i.exec(message)?.[1]
  const why = /utf-?8|unicode/i.test(message)
    ? 'it is not UTF-8'
    : /maximum.*size|Buffer|line size/i.test(message)
      ? 'a line is too long'
      : input.format === 'json'
        ? 'the JSON array is broken'
        : 'it cannot be read as the format it looks like'
  const where = line ? `${input.name}:${line}` : input.name
  return new UserError('LPA-INPUT-BROKEN', `${where}: ${why}.`, {
    exit: 'data',
    where,
    next: 'Mend the file, or export it again as UTF-8.',
  })
}

export function looksPersonal(inputName: string, mapping: Mapping, column: string, why: string): UserError {
  return new UserError(
    'LPA-PERSONAL-UNDECLARED',
    `${inputName}: column ${column} ${why}, and the mapping does not say what it is.`,
    {
      exit: 'data',
      where: inputName,
      next: [
        `In ${mapping.path}, add one of these lines:`,
        `  -- personal: ${column}(email)       replace it by a pseudonym (classes: learner, instructor, email)`,
        `  -- personal: ${column}(drop)        leave it out`,
        `  -- not-personal: ${column}          keep it as it is`,
      ],
    },
  )
}
