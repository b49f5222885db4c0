/** What an input holds, from its first records: its columns, the mapping that fits, the values to look at. */

import { nearest } from '../did-you-mean.ts'
import { openDuckDB, readRows } from '../duckdb.ts'
import { ENTITIES, type Entity } from '../entities.ts'
import { UserError } from '../errors.ts'
import { systemFailure } from '../system-failure.ts'
import { csvHead } from './csv-head.ts'
import { type Field, inHeader, placesOf } from './fields.ts'
import { type Input, spreadOverLines, toUtf8, unreadable } from './input.ts'
import type { JsonPath } from './json-path.ts'
import { type Mapping, packagedMappings, passedOver } from './mapping.ts'
import { pathSql } from './path-sql.ts'
import { shownNames } from './shown-names.ts'

/** The first part of an input: clear values, kept in memory only and never shown. */
export interface Head {
  /** Column names of a table; none for JSON. */
  readonly header: readonly string[]
  /** Names of columns, or paths of the first records: `name` at the top level and `$.a.b` below. */
  readonly keys: readonly string[]
  /** Values of a field in the first records. */
  values(field: Field): string[]
}

const SAMPLE = 200
/** Names that stage two gives itself. */
const RESERVED = /^(source_row|file_row_number|lpa_.*)$/i

export async function headOf(input: Input, hasHeader: boolean): Promise<Head> {
  if (input.format === 'parquet') return parquetHead(input.name)
  if (input.format === 'csv') return tableHead(input, hasHeader)
  const records = headRecords(input)
  return {
    header: [],
    keys: keysOf(records),
    values: (field) => records.map((record) => firstText(record, field)),
  }
}

function tableHead(input: Input, hasHeader: boolean): Head {
  const records = csvHead(input.head, input.delimiter, SAMPLE)
  const [first = []] = records
  // What stands for bytes that are not UTF-8. Rows with such bytes are rejected one by one.
  if (hasHeader && first.some((name) => name.includes('\ufffd'))) {
    throw unreadable(`${input.name}:1`, 'Its header is not UTF-8.', toUtf8(input.name))
  }
  const header = hasHeader
    ? first.map((name, index) => name.trim() || `column${index}`)
    : first.map((_, index) => `column${index}`)
  assertUsable(header, `${input.name}:1`)
  const rows = hasHeader ? records.slice(1) : records
  return { header, keys: header, values: (field) => columnValues(header, rows, field) }
}

function columnValues(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  { path }: Field,
): string[] {
  const column = inHeader(path[0] ?? '', header)
  const index = column === undefined ? -1 : header.indexOf(column)
  return index < 0 ? [] : rows.map((row) => row[index] ?? '')
}

/** DuckDB's names know no case, and its SQL no NUL. */
function assertUsable(header: readonly string[], where: string): void {
  const broken = header.findIndex((name) => name.includes('\0'))
  if (broken >= 0) {
    throw unreadable(where, `The name of column ${broken + 1} has a NUL byte.`, 'Export or copy it again.')
  }
  const lower = header.map((name) => name.toLowerCase())
  const again = lower.findIndex((name, index) => lower.indexOf(name) !== index)
  if (again >= 0) {
    const first = lower.indexOf(lower[again] as string)
    throw unreadable(
      where,
      `Columns ${first + 1} and ${again + 1} have the same name in the header.`,
      'Name each column once (upper and lower case are the same), or add to the mapping: -- header: none',
    )
  }
  const reserved = header.find((name) => RESERVED.test(name))
  if (reserved) {
    throw unreadable(where, `The name of column ${reserved} is lpa's own.`, 'Rename it in the export.')
  }
}

async function parquetHead(path: string): Promise<Head> {
  await using database = await openDuckDB({ memoryLimit: '300MB', spillFolder: '', timezone: 'UTC' })
  try {
    const rows = await readRows<Record<string, unknown>>(
      database.connection,
      `select columns(*)::varchar from read_parquet(${pathSql(path)}, hive_partitioning = false) limit ${SAMPLE}`,
    )
    const names = await readRows<{ column_name: string }>(
      database.connection,
      `describe select * from read_parquet(${pathSql(path)}, hive_partitioning = false)`,
    )
    const header = names.map((row) => row.column_name)
    assertUsable(header, path)
    const values = rows.map((row) => header.map((name) => String(row[name] ?? '')))
    return { header, keys: header, values: (field) => columnValues(header, values, field) }
  } catch (cause) {
    if (cause instanceof UserError) throw cause
    throw (
      systemFailure(cause instanceof Error ? cause.message : '', cause) ??
      unreadable(path, 'It is a damaged Parquet file.', 'Export or copy it again.')
    )
  }
}

// ── JSON ──────────────────────────────────────────────────────────────────────────────────────────────────

/** The records of the head that can be parsed. */
function headRecords({ format, head }: Input): Record<string, unknown>[] {
  const values = format === 'json' ? arrayHead(head) : head.split('\n', SAMPLE).map(tryParse)
  return values.filter((value) => typeof value === 'object' && value !== null) as Record<string, unknown>[]
}

/** The first elements of an array whose text may be cut off. */
function arrayHead(text: string): unknown[] {
  const whole = tryParse(text)
  if (Array.isArray(whole)) return whole.slice(0, SAMPLE)
  let tries = 0
  for (let end = text.lastIndexOf('}'); end > 0 && tries < SAMPLE; end = text.lastIndexOf('}', end - 1)) {
    const part = tryParse(`${text.slice(0, end + 1)}]`)
    if (Array.isArray(part)) return part.slice(0, SAMPLE)
    tries += 1
  }
  return []
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function keysOf(records: readonly Record<string, unknown>[]): string[] {
  const keys = new Set<string>()
  for (const record of records.slice(0, 20)) {
    for (const [key, value] of Object.entries(record)) {
      keys.add(key)
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
        for (const inner of Object.keys(value)) keys.add(`$.${key}.${inner}`)
      }
    }
  }
  return [...keys]
}

/** Of a field with several places the first text or number. */
function firstText(record: unknown, field: Field): string {
  if (!field.otherPaths) return textAt(record, field.path)
  const texts = placesOf(field).map((path) => textAt(record, path))
  return texts.find((text) => text !== '' && !/^[[{]/.test(text)) ?? ''
}

function textAt(record: unknown, path: readonly string[]): string {
  let value = record
  for (const key of path) {
    // JSON that is written as a text.
    if (typeof value === 'string' && value.startsWith('{')) value = tryParse(value)
    value = (value as Record<string, unknown> | null | undefined)?.[key]
  }
  if (typeof value === 'string') return value
  try {
    return JSON.stringify(value) ?? ''
  } catch {
    // Nested too deep for Node: stage one refuses it.
    return ''
  }
}

// ── the mapping that fits ─────────────────────────────────────────────────────────────────────────────────

/**
 * The packaged mapping that an input fits, the one that asks for most; several where they ask for the same, each for an
 * entity of its own; none where nothing of it is loaded.
 * @param keysIn the keys of the input's records, by where these are in its values
 */
export function recogniseMappings(
  input: Input,
  keysIn: (records: JsonPath | undefined) => readonly string[],
  entity: string | undefined,
): Mapping[] {
  if (entity !== undefined && !ENTITIES.includes(entity as Entity)) {
    throw new UserError('LPA-LOAD-ENTITY', `There is no entity "${entity}".`, {
      exit: 'usage',
      next: nearest(entity, ENTITIES),
    })
  }
  // The names of a table's columns know no case, JSON's keys do.
  const isTable = input.format === 'csv' || input.format === 'parquet'
  const spelled = (key: string) => (isTable ? key.toLowerCase() : key)
  const mostAsked = (lists: readonly (readonly string[])[], records: JsonPath | undefined) => {
    const has = new Set(keysIn(records).flatMap((key) => [spelled(key), `$.${spelled(key)}`]))
    const fitting = lists.filter((needed) => needed.every((key) => has.has(spelled(key))))
    return Math.max(0, ...fitting.map((needed) => needed.length))
  }
  const fitting = packagedMappings()
    .filter((mapping) => entity === undefined || mapping.entity === entity)
    .map((mapping) => ({ mapping, asks: mostAsked(mapping.recognise, mapping.records) }))
    .filter(({ asks }) => asks > 0)
    .sort((a, b) => b.asks - a.asks)
  const [best] = fitting
  // Of a bundle's tables: a message, or what an API answers, is somebody's record.
  const mayPass = entity === undefined && input.format === 'csv'
  if (mayPass && mostAsked(passedOver(), undefined) > (best?.asks ?? 0)) return []
  if (best)
    return readTogether(
      best.mapping,
      fitting.map(({ mapping }) => mapping),
    )
  if (input.isSpread) throw spreadOverLines(input.name)
  throw new UserError('LPA-LOAD-UNRECOGNISED', 'It fits no packaged mapping.', {
    exit: 'data',
    where: input.name,
    next: [
      `Its columns: ${shownNames(keysIn(undefined))}`,
      ...whatIsNeeded(entity, (records) => keysIn(records).map(spelled), spelled),
      ...(isTable ? [] : whoseDeletions(keysIn(undefined))),
      'Write a mapping (README, "Your own exports") and name it: --mapping mine.sql',
    ],
  })
}

/** Of the entity's mappings the one that misses least: what it needs. Of all, if the input has more than half of that. */
function whatIsNeeded(
  entity: string | undefined,
  keysIn: (records: JsonPath | undefined) => readonly string[],
  spelled: (key: string) => string,
): string[] {
  const [nearest] = packagedMappings()
    .filter((mapping) => entity === undefined || mapping.entity === entity)
    .flatMap(({ name, recognise, records }) => {
      const has = new Set(keysIn(records).flatMap((key) => [key, `$.${key}`]))
      return recognise.map((needed) => ({
        name,
        needed,
        lacks: needed.filter((key) => !has.has(spelled(key))),
      }))
    })
    .filter(({ needed, lacks }) => entity !== undefined || lacks.length < needed.length / 2)
    .sort((a, b) => a.lacks.length - b.lacks.length || b.needed.length - a.needed.length)
  if (!nearest) return []
  const { name, needed, lacks } = nearest
  const missing = entity === undefined ? `, of which it has no ${lacks.join(', ')}` : ''
  return [`What ${name} needs: ${needed.join(', ')}${missing}`]
}

/** The records of a delta that say what is gone have a key and a time, and that is all. */
function whoseDeletions(keys: readonly string[]): string[] {
  const leaves = keys.filter((key) => !keys.some((other) => other.startsWith(`$.${key}.`)))
  const has = ({ columns = [] }: Mapping, leaf: string) =>
    columns.flatMap(placesOf).some((path) => [...path].join('.') === leaf.replace(/^\$\./, ''))
  const among = packagedMappings().filter(
    (mapping) =>
      mapping.export === 'delta' && leaves.length > 0 && leaves.every((leaf) => has(mapping, leaf)),
  )
  if (among.length === 0) return []
  return [
    `Deletions alone do not tell of what they are. Name it: --mapping ${among.map(({ name }) => name).join(', or ')}`,
  ]
}

/** Those mappings that recognise the same inputs: together they read all that is in them. */
export function readTogether(mapping: Mapping, among: readonly Mapping[]): Mapping[] {
  const asked = ({ records, recognise }: Mapping) => JSON.stringify([records, [...recognise].sort()])
  return among.filter((other) => asked(other) === asked(mapping))
}

/** Columns or top-level keys that the fields leave out. */
export function leftOutKeys(head: Head, fields: readonly Field[]): string[] {
  const top = new Set(fields.flatMap((field) => placesOf(field).map(([key]) => key ?? field.name)))
  return head.keys.filter((key) => !key.startsWith('$.') && !top.has(key))
}
