/**
 * Stage two of the front end: runs the mapping's SELECT over the pseudonymised records, casts and checks what it
 * gives, and writes Parquet for staging, raw and rejected rows. Its connection never held the key, may spill,
 * and reaches no file outside its own folder: a mapping is a user's SQL.
 */

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { openDuckDB, quoteName, quoteText, readNumber, readRows } from '../duckdb.ts'
import { UserError } from '../errors.ts'
import type { Counts, ParquetFile } from '../types.ts'
import { type EntityRules, entityRules } from './entities.ts'
import type { Mapping } from './mapping.ts'
import { ancestorOf, type BrokenRow, type Field } from './stage-one.ts'

export interface StageTwoOptions {
  readonly mapping: Mapping
  readonly fields: readonly Field[]
  readonly header: readonly string[]
  /** The file of stage one. */
  readonly records: string
  readonly folder: string
  readonly loadId: number
  readonly source: string
  readonly idSpace: string
  readonly format: string
  readonly uri: string
  readonly contentSha256: string
  readonly timezone: string
  readonly loadedAt: string
  readonly memoryLimit: string
  readonly threads?: number | undefined
  readonly broken: readonly BrokenRow[]
  /** The line of a well-formed or broken record (from 1). */
  readonly lineOf: (record: number) => number
  readonly signal: AbortSignal
}

export interface StageTwoResult {
  readonly files: readonly ParquetFile[]
  /** `read` is what stage one gave: the caller holds it against the independent count. */
  readonly counts: Counts
  readonly rows: number
  /** Rejects by code, most frequent first, with the first place of each. */
  readonly reasons: readonly { code: string; reason: string; count: number; first: string }[]
}

export async function stageTwo(options: StageTwoOptions): Promise<StageTwoResult> {
  const { mapping, folder, signal } = options
  await using database = await openDuckDB({
    memoryLimit: options.memoryLimit,
    spillFolder: join(folder, 'spill'),
    timezone: options.timezone,
    threads: options.threads,
  })
  const { connection } = database
  const run = (sql: string) => connection.run(sql)
  await run(`create temp macro lpa_key(kind, id) as
    cast('0x' || substr(sha256('lpa:' || kind || ':' || id), 1, 15) as bigint)`)
  await run(`create temp view lpa_records as ${recordsSql(options)}`)
  await run(`create view source as ${sourceSql(options)}`)
  await run(`set allowed_directories = [${quoteText(`${folder}/`)}]; set enable_external_access = false`)
  await run('set lock_configuration = true')
  const stop = () => connection.interrupt()
  signal.addEventListener('abort', stop, { once: true })
  try {
    const rules = entityRules(mapping.entity, {
      idSpace: quoteText(options.idSpace),
      timezone: options.timezone === 'UTC' ? undefined : quoteText(options.timezone),
      contentId: quoteText(options.contentSha256.slice(0, 16)),
      loadedAt: quoteText(options.loadedAt.replace('T', ' ').replace('Z', '')),
    })
    const outputs = await prepareMapping(connection, options, rules)
    await run(`create view lpa_checked as ${checkedSql(options, rules, outputs)}`)
    return await write(connection, options, rules)
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** Every record of stage one with its number; those that are not ok have no fields. */
function recordsSql({ records }: StageTwoOptions): string {
  return `select *, file_row_number + 1 as source_row from read_parquet(${quoteText(records)}, file_row_number = true)`
}

function sourceSql(options: StageTwoOptions): string {
  const { fields, header, mapping } = options
  const names = new Set(fields.filter((field) => field.isColumn).map((field) => field.name))
  const columns = [...names].map((name) => quoteName(name))
  // A column that the mapping drops can still be named: it is null.
  const declared = mapping.columns?.map((column) => column.name) ?? header
  for (const name of declared)
    if (!names.has(name)) columns.push(`cast(null as varchar) as ${quoteName(name)}`)
  return `select ${[...columns, `${payloadSql(fields)} as payload`, `${quoteText(options.uri)} as source_file`, 'source_row'].join(', ')}
    from lpa_records where ok`
}

/**
 * The kept paths as one JSON object, without keys that were absent. Written as text: half the cost of to_json and
 * a merge that takes the nulls out.
 */
export function payloadSql(fields: readonly Field[]): string {
  type Node = { field?: Field; children: Map<string, Node> }
  const root: Node = { children: new Map() }
  for (const field of fields) {
    if (ancestorOf(field, fields)) continue
    let node = root
    for (const key of field.path) {
      const child = node.children.get(key) ?? { children: new Map() }
      node.children.set(key, child)
      node = child
    }
    node.field ??= field
  }
  // concat() passes over nulls: an absent value takes its key with it, an empty object too.
  const members = (node: Node): string =>
    `nullif(substr(concat(${[...node.children].map(([key, child]) => member(key, child)).join(', ')}), 2), '')`
  const member = (key: string, { field, children }: Node): string => {
    const label = quoteText(`,${JSON.stringify(key)}:`)
    if (!field) return `${label} || '{' || ${members({ children })} || '}'`
    const name = quoteName(field.name)
    if (field.type === 'json' && !field.personal?.list) return `${label} || cast(${name} as varchar)`
    const text = `cast(to_json(${name}) as varchar)`
    return field.type === 'number'
      ? `${label} || coalesce(cast(try_cast(${name} as json) as varchar), ${text})`
      : `${label} || ${text}`
  }
  if (root.children.size === 0) return `cast('{}' as json)`
  return `cast(coalesce('{' || ${members(root)} || '}', '{}') as json)`
}

interface Outputs {
  /** The mapping's SELECT with source_row. */
  readonly sql: string
  readonly types: ReadonlyMap<string, string>
}

/** Adds `source_row` to the mapping's SELECT, and holds its columns against the entity's. */
async function prepareMapping(
  connection: DuckDBConnection,
  options: StageTwoOptions,
  rules: EntityRules,
): Promise<Outputs> {
  const { mapping } = options
  const fail = (message: string, next: string | string[], cause?: unknown) =>
    new UserError('LPA-MAPPING-SQL', `${mapping.name}: ${message}`, {
      exit: 'config',
      next,
      where: mapping.path,
      cause,
    })
  let sql = mapping.sql
  let types: Map<string, string>
  try {
    types = await describe(connection, sql)
    if (!types.has('source_row')) {
      sql = await withSourceRow(connection, sql)
      types = await describe(connection, sql)
    }
  } catch (cause) {
    const message = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : ''
    throw fail(
      `its SELECT does not run over this file. ${message}`,
      [
        `Columns of source: ${[...options.fields.filter((field) => field.isColumn).map((field) => field.name), 'payload', 'source_row'].join(', ')}`,
        'A SELECT with grouping, set operations or subqueries must give source_row itself.',
      ],
      cause,
    )
  }
  const allowed = rules.inputs.map((column) => column.name)
  for (const name of types.keys()) {
    if (
      allowed.includes(name) ||
      name === 'source_row' ||
      name === 'attributes' ||
      name.startsWith('attributes.')
    )
      continue
    throw fail(`${mapping.entity} has no column "${name}".`, [
      `Its columns: ${[...allowed, 'attributes'].join(', ')}`,
      `To keep it anyway, name it "attributes.${name}".`,
    ])
  }
  const missing = rules.inputs.filter((column) => column.required && !types.has(column.name))
  if (missing.length > 0) {
    throw fail(
      `its SELECT gives no ${missing.map((column) => column.name).join(', ')}.`,
      `${mapping.entity} needs it.`,
    )
  }
  return { sql, types }
}

async function describe(connection: DuckDBConnection, sql: string): Promise<Map<string, string>> {
  const rows = await readRows<{ column_name: string; column_type: string }>(connection, `describe ${sql}`)
  return new Map(rows.map((row) => [row.column_name, row.column_type]))
}

async function withSourceRow(connection: DuckDBConnection, sql: string): Promise<string> {
  const reader = await connection.runAndReadAll('select json_serialize_sql($sql::varchar)', { sql })
  const tree = JSON.parse(String(reader.getRows()[0]?.[0]))
  if (tree.error) throw new Error(tree.error_message)
  const add = (node: { type: string; select_list?: unknown[]; left?: never; right?: never }): void => {
    if (node.type === 'SELECT_NODE') {
      node.select_list?.push({
        class: 'COLUMN_REF',
        type: 'COLUMN_REF',
        alias: '',
        column_names: ['source_row'],
      })
    } else if (node.left && node.right) {
      add(node.left)
      add(node.right)
    }
  }
  add(tree.statements[0].node)
  const back = await connection.runAndReadAll('select json_deserialize_sql($tree::json)', {
    tree: JSON.stringify(tree),
  })
  return String(back.getRows()[0]?.[0])
}

/** The mapping's output, cast to the entity's types, with derived columns and `fault`, the code of what is wrong. */
function checkedSql(
  { loadId, source }: StageTwoOptions,
  rules: EntityRules,
  { sql, types }: Outputs,
): string {
  const given = rules.inputs.filter((column) => types.has(column.name))
  const casts = rules.inputs.map((column) =>
    types.has(column.name)
      ? `${castSql(column.type, `m.${quoteName(column.name)}`, types.get(column.name) ?? '')} as ${column.name}`
      : `cast(null as ${column.type}) as ${column.name}`,
  )
  const faults = [
    ...given.flatMap(({ name, type, required }) => [
      ...(required
        ? [[`${name}:missing`, `c.${name} is null and ${emptySql(`c.given_${name}`, types.get(name))}`]]
        : []),
      ...(type === 'varchar' && types.get(name) === 'VARCHAR'
        ? []
        : [[`${name}:type`, `c.${name} is null and not ${emptySql(`c.given_${name}`, types.get(name))}`]]),
    ]),
    ...(types.get('attributes') === 'VARCHAR'
      ? [['attributes:type', `c.attributes is not null and not json_valid(c.attributes)`]]
      : []),
    ...given
      .filter(({ type }) => type === 'timestamp')
      .map(({ name }) => [
        `${name}:range`,
        `c.${name} not between timestamp '1900-01-01' and timestamp '9998-12-31'`,
      ]),
    ...rules.faults
      .filter(([, column]) => types.has(column))
      .map(([code, , , condition]) => [code, condition]),
  ]
  const columns = rules.columns.map(({ name, type }) => {
    if (name === 'source') return `${quoteText(source)} as source`
    if (name === 'load_id') return `cast(${loadId} as bigint) as load_id`
    if (name === 'position') return 'source_row as position'
    const expression = rules.derived[name]
    return expression ? `cast(${expression} as ${type}) as ${name}` : name
  })
  const keepGiven = given.map(({ name }) => `m.${quoteName(name)} as given_${name}`)
  return `with m as (${sql}),
    c as (select m.source_row, ${[...casts, `${attributesSql(types)} as attributes`, ...keepGiven].join(', ')} from m),
    f as (select *, case ${faults.map(([code, condition]) => `when ${condition} then '${code}'`).join('\n      ')} end as fault from c)
    select ${columns.join(', ')}, fault from f`
}

function emptySql(value: string, type: string | undefined): string {
  return type === 'VARCHAR' ? `coalesce(${value}, '') = ''` : `${value} is null`
}

function castSql(type: string, value: string, given: string): string {
  if (type === 'varchar') {
    return given === 'VARCHAR' ? `nullif(${value}, '')` : `cast(${value} as varchar)`
  }
  if (type === 'timestamp') {
    // A time without a zone is in the session's zone: warehouse.timezone.
    const zoned =
      given === 'TIMESTAMP WITH TIME ZONE'
        ? value
        : `try_cast(nullif(${textOf(value, given)}, '') as timestamptz)`
    return `cast(${zoned} at time zone 'UTC' as timestamp)`
  }
  if (type === 'date' && given === 'VARCHAR') return `try_cast(substr(nullif(${value}, ''), 1, 10) as date)`
  return given === 'VARCHAR' ? `try_cast(nullif(${value}, '') as ${type})` : `try_cast(${value} as ${type})`
}

function textOf(value: string, given: string): string {
  return given === 'VARCHAR' ? value : `cast(${value} as varchar)`
}

/** `attributes` and the columns named `attributes.NAME`, nulls left out; null when nothing is left. */
function attributesSql(types: ReadonlyMap<string, string>): string {
  const named = [...types.keys()].filter((name) => name.startsWith('attributes.'))
  const base = types.has('attributes') ? 'm.attributes' : 'cast(null as json)'
  if (named.length === 0) return base
  const object = `json_merge_patch('{}', json_object(${named
    .map((name) => `${quoteText(name.slice('attributes.'.length))}, m.${quoteName(name)}`)
    .join(', ')}))`
  if (!types.has('attributes')) return `nullif(${object}, cast('{}' as json))`
  return `nullif(json_merge_patch(coalesce(${base}, '{}'), ${object}), cast('{}' as json))`
}

async function write(
  connection: DuckDBConnection,
  options: StageTwoOptions,
  rules: EntityRules,
): Promise<StageTwoResult> {
  const { folder, loadId, mapping } = options
  const run = (sql: string) => connection.run(sql)
  const isEvent = mapping.entity === 'learning_event'
  const stem = `load_${String(loadId).padStart(6, '0')}_${mapping.name.replace(/^.*\//, '').replace(/\W+/g, '-')}`

  // Doubles: the same event id twice in one input. Candidates by hash first: few, so the rest is a small join.
  await run('create temp table lpa_doubled (position bigint)')
  if (isEvent) {
    await run(
      `create temp table lpa_twice as select h from (select hash(event_id) as h from lpa_checked) group by h having count(*) > 1`,
    )
    if ((await readNumber(connection, 'select count(*) from lpa_twice')) > 0) {
      await run(`insert into lpa_doubled select position from lpa_checked
        where hash(event_id) in (select h from lpa_twice) and fault is null
        qualify row_number() over (partition by event_id, date_key order by position) > 1`)
    }
  }
  const doubled = await readNumber(connection, 'select count(*) from lpa_doubled')

  const staging = join(folder, `${stem}.parquet`)
  const columns = rules.columns.map(({ name }) => name).join(', ')
  const rows = await copy(
    connection,
    `select ${columns} from lpa_checked
     where fault is null${doubled > 0 ? ' and position not in (select position from lpa_doubled)' : ''}`,
    staging,
  )
  const records = await readNumber(connection, 'select count(*) from lpa_records')
  await run('create temp table lpa_rejects (position bigint, code varchar)')
  if (rows + doubled !== records) {
    await run(
      `insert into lpa_rejects select position, min(fault) from lpa_checked where fault is not null group by position`,
    )
    await run(`insert into lpa_rejects select source_row, 'json:malformed' from lpa_records where not ok`)
  }
  const mapped = await readNumber(
    connection,
    `select count(distinct position) from read_parquet(${quoteText(staging)})`,
  )
  const malformed = await readNumber(connection, 'select count(*) from lpa_rejects')

  const files: ParquetFile[] = [await describeFile(rules.table, staging, rows)]
  if (isEvent) {
    const raw = join(folder, `${stem}_raw.parquet`)
    const kept = await copy(
      connection,
      `select cast(${loadId} as bigint) as load_id, ${quoteText(options.source)} as source, ${quoteText(options.format)} as format,
         source_row as position, timestamp ${quoteText(options.loadedAt.replace('T', ' ').replace('Z', ''))} as received_at, payload
       from source${malformed > 0 ? ' where source_row not in (select position from lpa_rejects)' : ''}`,
      raw,
      // Payloads differ from one another: a dictionary costs time and gains nothing.
      ', compression_level 1, string_dictionary_page_size_limit 1024',
    )
    files.push(await describeFile('raw.raw_learning_events', raw, kept))
  }
  const rejected = malformed + options.broken.length
  let reasons: StageTwoResult['reasons'] = []
  if (rejected > 0) {
    await placeRejects(connection, options, rules)
    const target = join(folder, `${stem}_rejects.parquet`)
    await copy(connection, rejectsSql(options), target)
    files.push(await describeFile('raw.rejected_rows', target, rejected))
    reasons = await readRows(
      connection,
      `select code, any_value(reason) as reason, count(*) as count, arg_min(place, line) as "first"
       from lpa_placed group by code order by count(*) desc, code`,
    )
  }
  return {
    files,
    rows,
    reasons,
    counts: {
      read: records + options.broken.length,
      mapped,
      rejected,
      filtered: records - mapped - malformed - doubled,
      doubled,
    },
  }
}

async function copy(
  connection: DuckDBConnection,
  select: string,
  target: string,
  more = '',
): Promise<number> {
  const result = await connection.run(
    `copy (${select}) to ${quoteText(target)} (format parquet, compression zstd, parquet_version v2${more})`,
  )
  return result.rowsChanged
}

/** Gives every reject its reason in words and its place, `file:line`. */
async function placeRejects(
  connection: DuckDBConnection,
  { broken, lineOf, uri }: StageTwoOptions,
  rules: EntityRules,
): Promise<void> {
  await connection.run(
    'create temp table lpa_placed (position bigint, line bigint, place varchar, code varchar, reason varchar, column_name varchar)',
  )
  const found = await readRows<{ position: number; code: string }>(
    connection,
    'select position, code from lpa_rejects order by position',
  )
  const places = found.map(({ position, code }) => {
    const record = recordNumber(position, broken)
    const [column, kind] = code.split(':') as [string, string]
    const fault = rules.faults.find(([name]) => name === code)
    const isColumn = column !== 'json'
    return {
      position,
      line: lineOf(record),
      code,
      reason: fault?.[2] ?? reasonText(column, kind, rules),
      column: isColumn ? column : null,
    }
  })
  for (const row of broken) {
    places.push({
      position: -row.record,
      line: lineOf(row.record),
      code: row.code,
      reason: row.reason,
      column: null,
    })
  }
  const appender = await connection.createAppender('lpa_placed', 'main', 'temp')
  for (const { position, line, code, reason, column } of places) {
    appender.appendBigInt(BigInt(position))
    appender.appendBigInt(BigInt(line))
    appender.appendVarchar(`${uri}:${line}`)
    appender.appendVarchar(code)
    appender.appendVarchar(reason)
    if (column === null) appender.appendNull()
    else appender.appendVarchar(column)
    appender.endRow()
  }
  appender.closeSync()
}

/** Rows that could not be read at all have no number among the records: count past them. */
function recordNumber(position: number, broken: readonly BrokenRow[]): number {
  let record = position
  for (const row of broken) {
    if (row.record > record) break
    record += 1
  }
  return record
}

const TYPE_WORDS: Record<string, string> = {
  timestamp: 'a time, as in 2026-01-12T08:13:22Z',
  date: 'a date, as in 2026-01-12',
  double: 'a number',
  decimal: 'a number',
  boolean: 'true or false',
  json: 'JSON',
}

function reasonText(column: string, kind: string, rules: EntityRules): string {
  if (column === 'json') return 'the line is not a JSON object'
  if (kind === 'missing') return `${column} is missing`
  if (kind === 'range') return `${column} is out of range`
  const type = rules.columns.find(({ name }) => name === column)?.type.replace(/\(.*/, '') ?? ''
  return `${column} is not ${TYPE_WORDS[type] ?? `a ${type}`}`
}

function rejectsSql({ loadId, source }: StageTwoOptions): string {
  return `select cast(${loadId} as bigint) as load_id, ${quoteText(source)} as source, p.place as position, p.code as reason_code,
      p.reason, p.column_name, r.byte_length, r.content_hmac, s.payload, cast(null as timestamp) as requeued_at
    from lpa_placed p
    left join lpa_records r on r.source_row = p.position
    left join (select source_row, payload from source where source_row in (select position from lpa_placed)) s
      on s.source_row = p.position
    order by p.line, p.position`
}

/** Syncs a finished file and hashes it. */
async function describeFile(table: string, path: string, rows: number): Promise<ParquetFile> {
  const handle = await open(path, 'r+')
  await handle.chmod(0o600)
  await handle.sync()
  await handle.close()
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
  return { table, path, rows, sha256: hash.digest('hex') }
}
