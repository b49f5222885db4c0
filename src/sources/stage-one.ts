/**
 * Stage one of the front end, the only code that sees clear values: reads an input with its dialect pinned,
 * keeps the columns and paths that the mapping lists, replaces personal ones by pseudonyms, and writes Parquet.
 * DuckDB runs in memory without a spill folder, with no sort, join or window: what leaves it is pseudonymised.
 */

import { openDuckDB, quoteName, quoteText, readNumber, readRows } from '../duckdb.ts'
import type { PseudonymKey } from '../pseudonym.ts'
import { readFailure } from './engine-failure.ts'
import { type ErasedPeople, pseudonymMacros } from './erased.ts'
import { type Field, fieldLabel, inHeader, isJson, placesOf } from './fields.ts'
import type { Input } from './input.ts'
import { createJsonMacros, MAX_DEPTH } from './json-macros.ts'
import { formatJsonPath, isPrefix, type JsonPath } from './json-path.ts'
import { JsonPlaces } from './json-places.ts'
import { MAX_RECORD_BYTES } from './measure.ts'
import { plainValueSql } from './plain-csv.ts'
import {
  ASCII_SPACE,
  fieldValue,
  isList,
  isText,
  lookedAtText,
  lookForPersons,
  mayHoldShape,
  personalField,
  type ValueOptions,
  type ValueSource,
} from './values.ts'

export interface StageOneOptions extends ValueOptions {
  /** Where the engine reads the text, as SQL: the file itself, or a pipe that carries it. */
  readonly pathSql: string
  /** `plain`: CSV that plainCsv rewrote. `in order`: one thread reads, from the first byte to the last. */
  readonly how: ReadingKind
  readonly header: readonly string[]
  readonly key: PseudonymKey
  readonly erased: ErasedPeople
  readonly personal: OnPersonal
  readonly timezone: string
  readonly memoryLimit: string
  readonly threads?: number | undefined
  readonly target: string
  readonly signal: AbortSignal
}

/**
 * What becomes of an input in which a value looks personal of which the mapping says nothing: it is refused as a whole;
 * or, of messages, which cannot be mended, each such record is rejected, and nothing of it is kept.
 */
export type OnPersonal = 'refuse' | 'reject record'

export type ReadingKind = 'as it is' | 'plain' | 'in order'

/** A record that could not be read at all: its number (from 1; of an NDJSON file its line), and why. */
export interface BrokenRow {
  readonly record: number
  readonly code: string
  readonly reason: string
}

export interface StageOneResult {
  /** Records written, well-formed or not. */
  readonly written: number
  readonly broken: readonly BrokenRow[]
  /** Of Parquet: the records that it says it holds. */
  readonly records: number | undefined
}

/** What makes a JSON record bad before any mapping sees it: `lpa_fault` in the file is the place here, from 1. */
const RECORD_FAULTS = [
  { code: 'json:malformed', reason: 'the record is not a JSON object' },
  { code: 'json:depth', reason: `the record is nested deeper than ${MAX_DEPTH} levels` },
  { code: 'json:not-a-number', reason: 'the record holds NaN or Infinity, which JSON has not' },
  { code: 'json:double-key', reason: 'the record names a key of a person twice' },
] as const
const [MALFORMED, DEEP, UNREAL, DOUBLE_KEY] = [1, 2, 3, 4]
/** From here on `lpa_fault` is the number of a field that looks personal. */
const PERSONAL_FAULT = 100

/** A fault of stage one in words, and the field that has it. */
export function recordFault(
  fault: number,
  fields: readonly Field[],
): { readonly code: string; readonly reason: string; readonly column: string | null } {
  const field = fields[fault - PERSONAL_FAULT - 1]
  if (field) {
    return {
      code: 'personal:undeclared',
      reason: 'it looks personal, and the mapping does not say what it is',
      column: fieldLabel(field),
    }
  }
  const known = RECORD_FAULTS[fault - 1]
  if (!known) throw new Error(`Stage one knows no fault ${fault}.`)
  return { ...known, column: null }
}

/** DuckDB's own choice for long lines is eight times as much: it filled the memory. */
const BUFFER_BYTES = 2 * MAX_RECORD_BYTES
const GROUP_BYTES = 16 * 1024 * 1024

export async function stageOne(options: StageOneOptions): Promise<StageOneResult> {
  const { input, mapping, fields, target, signal } = options
  await using database = await openDuckDB({
    memoryLimit: options.memoryLimit,
    spillFolder: '',
    timezone: options.timezone,
    threads: options.threads,
  })
  const { connection } = database
  for (const statement of pseudonymMacros(options.key, options.erased)) await connection.run(statement)
  await createJsonMacros(connection)
  const stop = () => connection.interrupt()
  signal.addEventListener('abort', stop, { once: true })
  try {
    const source = isText(input) ? jsonSource(options) : await tableSource(options, connection)
    const columns = fields.map((field) => `${fieldValue(field, options, source)} as ${quoteName(field.name)}`)
    const text = `(select *, ${lookedAtText(options, source, source.mayHold)} as lpa_text from ${source.relation})`
    const isRefused = options.personal === 'refuse'
    const look = isRefused ? [`${lookForPersons(options, source)} as lpa_looked_at`] : []
    await connection.run(
      `copy (select ${[...columns, ...source.status, ...look].join(',\n  ')} from
       ${isRefused ? text : withoutPersonal(text, options, source)})
       to ${quoteText(target)} (format parquet, compression lz4, parquet_version v2, row_group_size ${groupRows(input)})`,
    )
    const written = await readNumber(
      connection,
      `select num_rows from parquet_file_metadata(${quoteText(target)})`,
    )
    const broken = await brokenRows(connection, options)
    return {
      written,
      broken,
      records: input.format === 'parquet' ? await parquetRecords(options, connection) : undefined,
    }
  } catch (error) {
    throw signal.aborted ? error : readFailure(input, mapping, fields, error)
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

type Connection = Parameters<typeof readRows>[0]

/** A group of rows is in memory until it is whole, which cannot spill here: the longer the records, the fewer. */
export function groupRows({ head }: Input): number {
  const recordBytes = Math.max(1, head.length / (head.match(/\n/g)?.length ?? 1))
  return Math.max(16, Math.min(122_880, Math.floor(GROUP_BYTES / recordBytes)))
}

/** How records come out of an input: SQL of the relation, of each field's value in it, and of what to note. */
interface Source extends ValueSource {
  readonly relation: string
  /** Its columns with what was taken out of a record. */
  readonly taken: readonly string[]
  /** See lookedAtText. */
  readonly mayHold: string | undefined
  readonly status: readonly string[]
}

// ── JSON ──────────────────────────────────────────────────────────────────────────────────────────────────

/** Records that look personal become faults, of which nothing is taken. */
function withoutPersonal(text: string, options: StageOneOptions, source: Source): string {
  const fault = `case when lpa_personal > 0 then ${PERSONAL_FAULT} + lpa_personal else lpa_fault end`
  const kept = source.taken.map(
    (name) => `case when coalesce(lpa_personal, 0) = 0 then ${name} end as ${name}`,
  )
  return `(select line, ${kept.join(', ')}, cast(${fault} as usmallint) as lpa_fault
    from (select *, ${personalField(options, source)} as lpa_personal from ${text}))`
}

function jsonSource(options: StageOneOptions): Source {
  const { fields, mapping } = options
  const places = new JsonPlaces(fields, mapping.parse)
  // Kept JSON is judged after it was taken out: it is a small part of most records.
  const kept = [
    ...new Set([...fields.filter(isJson).map(({ path }) => places.takenAt(path)), ...places.parsed()]),
  ].map((value) => `${value}::varchar`)
  // Also where JSON is expected and a text of JSON stands.
  const inTexts = kept.map((value) => `case when starts_with(${value}, '"') then (${value}) ->> '$' end`)
  const lone = fields.filter((field) => !isJson(field) && !isList(field))
  const texts = lone.filter(({ change }) => !change).map((field) => `${places.valueOf(field)}::varchar`)
  // Also of whom pseudonyms are made: NaN would be somebody.
  const isNumber = lone.map((field) => `lpa_is_number_word(${places.valueOf(field)}::varchar)`)
  const when = (macro: string, values: readonly string[], fault: number) =>
    values.length === 0
      ? ''
      : `when ${values.map((value) => `${macro}(${value})`).join(' or ')} then ${fault}`
  const fault = `case when lpa_fault is not null then lpa_fault ${when('lpa_is_deep', kept, DEEP)}
    ${when('lpa_holds_deep', [...texts, ...inTexts], DEEP)} ${when('lpa_is_unreal', kept, UNREAL)}
    ${isNumber.length > 0 ? `when case when lpa_is_unreal(line) then ${isNumber.join(' or ')} else false end then ${UNREAL}` : ''} end`
  const spec = quoteText(places.structure())
  const records = `(select line, lpa_fault, case when lpa_fault is null then json_transform(line, ${spec}) end as r
      from (select line, ${faultSql(fields, mapping.parse)} as lpa_fault from ${linesSql(options)}))`
  return {
    relation: `(select * replace (cast(${fault} as usmallint) as lpa_fault) from ${places.relation(records)})`,
    taken: places.columns(),
    // Inside a text of JSON, another one has its quotes behind backslashes.
    mayHold: `contains(line, '@') or contains(line, '%40') or contains(line, '\\')${
      options.personal === 'refuse' ? '' : ` or ${mayHoldShape('line')}`
    }`,
    status: [
      'lpa_fault',
      'case when lpa_fault is not null then strlen(line) end as lpa_bytes',
      "case when lpa_fault is not null then lpa_hmac('lpa:v1:content::' || line) end as lpa_content",
    ],
    value: (field) => places.valueOf(field),
  }
}

/** Each record as text. */
function linesSql({ input, pathSql, how }: StageOneOptions): string {
  if (input.format === 'json') {
    return `(select json::varchar as line from read_json_objects(${pathSql}, format = 'array', compression = 'uncompressed',
      hive_partitioning = false, maximum_object_size = ${MAX_RECORD_BYTES}))`
  }
  return `(select line from read_csv(${pathSql}, columns = {'line': 'VARCHAR'}, delim = '', quote = '', escape = '',
      header = false, strict_mode = false, ${readOptions(how)})
    where line is not null and (line[1] = '{' or trim(line, ${ASCII_SPACE}) <> ''))`
}

function faultSql(fields: readonly Field[], parsed: readonly JsonPath[]): string {
  const personal = fields.filter(({ change }) => change?.kind === 'pseudonym').flatMap(placesOf)
  // Of two objects that hold people one would be passed over just so.
  const paths = personal.flatMap((path) => path.map((_, index) => path.slice(0, index + 1)))
  const each = new Map(paths.map((path) => [formatJsonPath(path), path]))
  // A key that stands twice in a line may be two people's, or stand in two objects: only then is it looked at closely.
  const doubles = [...each.values()].map((path) => {
    const key = path.at(-1) ?? ''
    const parent = path.slice(0, -1)
    const text = parsed.find((other) => isPrefix(other, parent))
    // A pattern of % alone is quick. Inside a text quotes stand behind backslashes.
    const label = (text ? key : JSON.stringify(key)).replaceAll('_', '%')
    const keys = text
      ? `json_keys(lpa_parsed(line -> ${quoteText(formatJsonPath(text))}), ${quoteText(formatJsonPath(parent.slice(text.length)))})`
      : `json_keys(line, ${quoteText(formatJsonPath(parent))})`
    return `when case when line like ${quoteText(`%${label}%${label}%`)} ${text ? '' : mayHoldTwice(parent, key)}
      then len(list_filter(${keys}, lambda key: key = ${quoteText(key)})) > 1 end then ${DOUBLE_KEY}`
  })
  return `case
    when not json_valid(line) or (line[1] <> '{' and ltrim(line, ${ASCII_SPACE})[1] <> '{') then ${MALFORMED}
    ${doubles.join('\n    ')} end`
}

/**
 * Most lines have such a key in several objects. To ask for the keys of one takes the whole line apart; a pattern tells of
 * most lines that no object of this name has the key twice: it stops at an object inside, and knows no escapes.
 */
function mayHoldTwice(parent: JsonPath, key: string): string {
  const name = parent.at(-1)
  if (name === undefined) return ''
  const label = (part: string) => JSON.stringify(part).replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const others = '(?:[^{}"]|"(?:[^"\\\\]|\\\\.)*")*'
  const member = `${label(key)}\\s*:`
  const pattern = `${label(name)}\\s*:\\s*\\{${others}(?:\\{|${member}${others}${member})`
  // A slash may be written as \/.
  const sign = `${label(name)}${label(key)}`.includes('/') ? '\\' : '\\u'
  return `and (contains(line, ${quoteText(sign)}) or regexp_matches(line, ${quoteText(pattern)}))`
}

// ── tables ────────────────────────────────────────────────────────────────────────────────────────────────

async function tableSource(options: StageOneOptions, connection: Connection): Promise<Source> {
  const { input, header, fields } = options
  const valueAt = ([name = '', ...keys]: JsonPath) => {
    const column = inHeader(name, header)
    if (column === undefined) return 'cast(null as varchar)'
    const value = options.how === 'plain' ? plainValueSql(quoteName(column)) : quoteName(column)
    if (keys.length === 0) return value
    return `case when json_valid(${value}) then ${value} ->> ${quoteText(formatJsonPath(keys))} end`
  }
  const value = (field: Field) => {
    const places = placesOf(field).map(valueAt)
    return places.length === 1
      ? (places[0] as string)
      : `coalesce(${places.map((place) => `nullif(${place}, '')`).join(', ')})`
  }
  // JSON inside which something is changed: what is too deep for it would be left out without a word.
  const deep = fields
    .filter(({ change }) => !change)
    .map((field) => `${field.inside.length > 0 ? 'lpa_is_deep' : 'lpa_holds_deep'}(${value(field)})`)
  return {
    relation: input.format === 'parquet' ? await parquetSql(options, connection) : csvSql(options),
    taken: [],
    mayHold: undefined,
    status: [
      `cast(${deep.length > 0 ? `case when ${deep.join(' or ')} then ${DEEP} end` : 'null'} as usmallint) as lpa_fault`,
      'cast(null as bigint) as lpa_bytes',
      'cast(null as varchar) as lpa_content',
    ],
    value,
  }
}

function csvSql({ input, pathSql, how, header, mapping }: StageOneOptions): string {
  const columns = header.map((name) => `${quoteText(name)}: 'VARCHAR'`).join(', ')
  return `read_csv(${pathSql}, columns = {${columns}}, delim = ${quoteText(input.delimiter)}, quote = '"',
    escape = '"', header = ${mapping.hasHeader}, ${readOptions(how)})`
}

/** Everything is said: what DuckDB finds out by itself, from the text or from the file's name, may be wrong. */
function readOptions(how: ReadingKind): string {
  return `auto_detect = false, compression = 'none', hive_partitioning = false, parallel = ${how !== 'in order'},
    max_line_size = ${MAX_RECORD_BYTES}, buffer_size = ${BUFFER_BYTES}, store_rejects = true`
}

function parquetRecords({ pathSql }: StageOneOptions, connection: Connection): Promise<number> {
  return readNumber(connection, `select num_rows from parquet_file_metadata(${pathSql})`)
}

/** Values as text, nested ones as JSON. */
async function parquetSql({ pathSql, header }: StageOneOptions, connection: Connection): Promise<string> {
  const table = `read_parquet(${pathSql}, hive_partitioning = false)`
  const described = await readRows<{ column_name: string; column_type: string }>(
    connection,
    `describe select * from ${table}`,
  )
  const values = described
    .filter(({ column_name }) => header.includes(column_name))
    .map(({ column_name, column_type }) => {
      const isNested = /[[(]|^(VARIANT|JSON)$/.test(column_type.replace(/^DECIMAL\(.*?\)$|^ENUM\(.*\)$/, ''))
      const value = isNested ? `to_json(${quoteName(column_name)})` : quoteName(column_name)
      return `cast(${value} as varchar) as ${quoteName(column_name)}`
    })
  return `(select ${values.join(', ')} from ${table})`
}

export const TOO_LONG = {
  code: 'record:too-long',
  reason: `the record is longer than ${MAX_RECORD_BYTES / 1024 / 1024} MB`,
}

const ROW_FAULTS: Record<string, readonly [code: string, reason: string]> = {
  'MISSING COLUMNS': ['csv:missing-columns', 'the row has fewer columns than the header'],
  'TOO MANY COLUMNS': ['csv:too-many-columns', 'the row has more columns than the header'],
  'UNQUOTED VALUE': ['csv:quote', 'a quoted value goes on after its closing quote'],
  'LINE SIZE OVER MAXIMUM': [TOO_LONG.code, TOO_LONG.reason],
  'INVALID ENCODING': ['record:encoding', 'the record is not UTF-8'],
  'INVALID STATE': ['csv:quote', 'the quotes of the row do not match'],
}

/** DuckDB keeps the faulty text beside each reject: it stays in this database, which dies with stage one. */
async function brokenRows(connection: Connection, options: StageOneOptions): Promise<BrokenRow[]> {
  const { format } = options.input
  if (format !== 'csv' && format !== 'ndjson') return []
  const rows = await readRows<{ line: number; error_type: string }>(
    connection,
    'select line, min(cast(error_type as varchar)) as error_type from reject_errors group by line order by line',
  )
  // DuckDB counts the header among the rows.
  const before = format === 'csv' && options.mapping.hasHeader ? 1 : 0
  return rows.map(({ line, error_type }) => {
    const [code, reason] = ROW_FAULTS[error_type] ?? ['record:broken', 'the record cannot be read']
    return { record: line - before, code, reason }
  })
}
