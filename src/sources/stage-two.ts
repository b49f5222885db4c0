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
import { didYouMean } from '../did-you-mean.ts'
import { openDuckDB, quoteName, quoteText, readNumber, readRows } from '../duckdb.ts'
import { UserError } from '../errors.ts'
import { systemFailure } from '../system-failure.ts'
import type { Counts, ParquetFile } from '../types.ts'
import { type EntityRules, entityRules } from './entities.ts'
import { ancestorOf, type Field, isJson } from './fields.ts'
import { createJsonMacros, MAX_DEPTH } from './json-macros.ts'
import type { Mapping } from './mapping.ts'
import { firstLine, parseSelect, withSourceRow } from './select-tree.ts'
import { shownNames } from './shown-names.ts'
import { type BrokenRow, RECORD_FAULTS } from './stage-one.ts'

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
  /** Rows of a Parquet row group. */
  readonly groupRows: number
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
  await createJsonMacros(connection)
  await run(`create temp view lpa_records as ${recordsSql(options)}`)
  await run(`create temp view lpa_source as ${sourceSql(options)}`)
  await run('create view source as from lpa_source')
  await run(`set allowed_directories = [${quoteText(`${folder}/`)}]; set enable_external_access = false`)
  await run('set lock_configuration = true')
  const stop = () => connection.interrupt()
  signal.addEventListener('abort', stop, { once: true })
  try {
    const rules = entityRules(mapping.entity, {
      idSpace: quoteText(options.idSpace),
      timezone: options.timezone === 'UTC' ? undefined : quoteText(options.timezone),
      contentId: quoteText(`${options.source}:${options.contentSha256.slice(0, 16)}`),
      loadedAt: quoteText(options.loadedAt.replace('T', ' ').replace('Z', '')),
    })
    const outputs = await prepareMapping(connection, options, rules)
    const faults = faultsOf(rules, outputs)
    await run(`create view lpa_checked as ${checkedSql(options, rules, outputs, faults)}`)
    try {
      return await write(connection, options, rules, faults, outputs.types.has('deleted'))
    } catch (error) {
      throw await valueFailure(connection, options, error)
    }
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** What DuckDB says of a value that a SELECT cannot take quotes the value: our error tells its place and kind only. */
async function valueFailure(
  connection: DuckDBConnection,
  options: StageTwoOptions,
  error: unknown,
): Promise<unknown> {
  const message = error instanceof Error ? error.message : ''
  const kind = /^(Conversion|Invalid Input|Out of Range|Mismatch Type|Invalid Type) Error/.exec(message)?.[0]
  if (!kind) return systemFailure(message, error) ?? error
  const { mapping, uri, lineOf, broken } = options
  const position = await failingRecord(connection)
  const line = position === undefined ? '' : `:${lineOf(recordNumber(position, broken))}`
  return new UserError(
    'LPA-MAPPING-VALUE',
    `The SELECT of ${mapping.name} fails on a value ${line ? 'of this record' : 'of this file'} (${kind}).`,
    {
      exit: 'data',
      where: `${uri}${line}`,
      next: 'Write try_cast() or try_strptime(): a value that gives null there is judged like any other.',
    },
  )
}

/** The first record that makes the mapping fail: halves of what is left are tried, once as many records in all. */
async function failingRecord(connection: DuckDBConnection): Promise<number | undefined> {
  const fails = async (from: number, to: number) => {
    await connection.run(
      `create or replace view source as from lpa_source where source_row between ${from} and ${to}`,
    )
    return connection.run('select max(hash(c)) from lpa_checked c').then(
      () => false,
      () => true,
    )
  }
  let low = 1
  let high = await readNumber(connection, 'select count(*) from lpa_records')
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (await fails(low, middle)) high = middle
    else low = middle + 1
  }
  return (await fails(low, low)) ? low : undefined
}

/** Every record of stage one with its number; those that are not ok have no fields. */
function recordsSql({ records }: StageTwoOptions): string {
  return `select *, file_row_number + 1 as source_row from read_parquet(${quoteText(records)}, file_row_number = true)`
}

function sourceSql(options: StageTwoOptions): string {
  const { fields } = options
  const names = new Set(fields.filter((field) => field.isColumn).map((field) => field.name))
  const columns = [...names].map((name) => quoteName(name))
  // A column that the mapping drops, or does not name, is null.
  const declared = sourceColumns(options)
  for (const name of declared)
    if (!names.has(name)) columns.push(`cast(null as varchar) as ${quoteName(name)}`)
  // A table may have columns of these names: they are its own then.
  const taken = new Set(declared.map((name) => name.toLowerCase()))
  if (!taken.has('payload')) columns.push(`${payloadSql(fields)} as payload`)
  if (!taken.has('source_file')) columns.push(`${quoteText(options.uri)} as source_file`)
  return `select ${columns.join(', ')}, source_row from lpa_records where lpa_fault is null`
}

function sourceColumns({ mapping, header }: StageTwoOptions): readonly string[] {
  return mapping.columns?.map((column) => column.name) ?? header
}

/**
 * The kept paths as one JSON object, without keys that were absent. Written as text: half the cost of to_json and
 * a merge that takes the nulls out.
 */
function payloadSql(fields: readonly Field[]): string {
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
    if (isJson(field)) return `${label} || cast(${name} as varchar)`
    const text = `cast(to_json(${name}) as varchar)`
    // JSON's numbers end in a digit, those that it has not do not.
    return field.type === 'number'
      ? `${label} || case when ${name}[-1] between '0' and '9' then coalesce(cast(try_cast(${name} as json) as varchar), ${text}) else ${text} end`
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
  const inputs = rules.inputs.map((column) => column.name)
  const allowed = mapping.export === 'delta' ? [...inputs, 'deleted'] : inputs
  const fail = (message: string, next: string | string[], cause?: unknown) =>
    new UserError('LPA-MAPPING-SQL', message, { exit: 'config', next, where: mapping.path, cause })
  const tree = await parseSelect(connection, mapping)
  let { sql } = mapping
  let types: Map<string, string>
  try {
    types = await describe(connection, sql, allowed)
    if (!types.has('source_row')) {
      sql = await withSourceRow(connection, tree)
      types = await describe(connection, sql, allowed)
    } else if ((await readNumber(connection, strayRowsSql(sql))) > 0) {
      throw fail('It gives rows a source_row that no record has.', 'Take it from source, as it is.')
    }
  } catch (cause) {
    if (cause instanceof UserError) throw cause
    throw fail(
      `Its SELECT does not run over this file. ${cause instanceof Error ? firstLine(cause.message) : ''}`,
      [
        `Columns of source: ${shownNames(sourceColumns(options))}`,
        'Also: payload, source_file, source_row. A SELECT with grouping or set operations must give source_row itself.',
      ],
      cause,
    )
  }
  for (const name of types.keys()) {
    if (
      allowed.includes(name) ||
      name === 'source_row' ||
      name === 'attributes' ||
      name.startsWith('attributes.')
    )
      continue
    if (name === 'deleted') {
      throw fail('It says of records that they are deleted, which only a delta export can.', [
        'Write -- export: delta. An enrollment that ended is no deletion: its status is withdrawn.',
      ])
    }
    const near = didYouMean(name, allowed)
    throw fail(`${mapping.entity} has no column "${name}".${near ? ` Did you mean ${near}?` : ''}`, [
      `Its columns: ${[...allowed, 'attributes'].join(', ')}`,
      `To keep it anyway, name it "attributes.${name}".`,
    ])
  }
  const needed = (name: string) => !types.has('deleted') || rules.identity.includes(name)
  const missing = rules.inputs.filter(({ name, required }) => required && needed(name) && !types.has(name))
  if (missing.length > 0) {
    throw fail(
      `Its SELECT gives no ${missing.map((column) => column.name).join(', ')}.`,
      `Every ${mapping.entity} needs ${missing.length === 1 ? 'it' : 'them'}. Columns: ${allowed.join(', ')}`,
    )
  }
  return { sql, types }
}

/** The columns of a SELECT and their types. A column of `source` comes spelled as in the file: names know no case. */
async function describe(
  connection: DuckDBConnection,
  sql: string,
  allowed: readonly string[],
): Promise<Map<string, string>> {
  const rows = await readRows<{ column_name: string; column_type: string }>(connection, `describe ${sql}`)
  const known = new Set([...allowed, 'source_row', 'attributes'])
  return new Map(
    rows.map(({ column_name: name, column_type: type }) => {
      const lower = name.toLowerCase()
      return [known.has(lower) ? lower : name, type]
    }),
  )
}

/** Rows whose number is none of a record's: on the line of its own, for the SELECT may end in a comment. */
function strayRowsSql(sql: string): string {
  return `select count(*) from (${sql}\n) m left join lpa_records r on r.source_row = m.source_row
    where r.source_row is null`
}

/** What makes a record bad. In SQL a fault is its number: from 1 here, those of stage one from RECORD_FAULT on. */
interface Fault {
  readonly code: string
  readonly reason: string
  readonly column: string | null
  readonly condition: string
}

const RECORD_FAULT = 200

const TYPE_WORDS: Record<string, string> = {
  timestamp: 'a time, as in 2026-01-12T08:13:22Z',
  date: 'a date, as in 2026-01-12',
  double: 'a number',
  decimal: 'a number',
  boolean: 'true or false',
}

/** Missing values first, then failed casts, then what the entity says. */
function faultsOf(rules: EntityRules, { types }: Outputs): Fault[] {
  const faults: Fault[] = []
  const add = (column: string, kind: string, reason: string, condition: string) =>
    faults.push({ code: `${column}:${kind}`, column, reason, condition })
  const isDelta = types.has('deleted')
  if (isDelta) {
    const empty = emptySql('c.given_deleted', types.get('deleted'))
    add('deleted', 'type', `deleted is not ${TYPE_WORDS.boolean}`, `c.deleted is null and not ${empty}`)
    for (const { name, required } of rules.inputs)
      if (required && !types.has(name)) add(name, 'missing', `${name} is missing`, `c.${name} is null`)
  }
  const given = rules.inputs.filter((column) => types.has(column.name))
  for (const { name, type, required } of given) {
    const empty = emptySql(`c.given_${name}`, types.get(name))
    const words = TYPE_WORDS[type.replace(/\(.*/, '')] ?? `a ${type}`
    if (required) add(name, 'missing', `${name} is missing`, `c.${name} is null and ${empty}`)
    if (type !== 'varchar' || types.get(name) !== 'VARCHAR') {
      add(name, 'type', `${name} is not ${words}`, `c.${name} is null and not ${empty}`)
    }
    if (type === 'timestamp') {
      const range = `not between timestamp '1900-01-01' and timestamp '9998-12-31'`
      add(name, 'range', `${name} lies before 1900 or after 9998`, `c.${name} ${range}`)
    }
    if (type === 'date') {
      const range = `not between date '1900-01-01' and date '9998-12-31'`
      add(name, 'range', `${name} lies before 1900 or after 9998`, `c.${name} ${range}`)
    }
  }
  if (types.has('attributes')) {
    const given = 'cast(c.given_attributes as varchar)'
    if (types.get('attributes') !== 'JSON')
      add('attributes', 'type', 'attributes is not JSON', `not json_valid(${given})`)
    add(
      'attributes',
      'depth',
      `attributes is nested deeper than ${MAX_DEPTH} levels`,
      `lpa_is_deep(${given})`,
    )
  }
  if ([...types.keys()].some((name) => /^attributes(\.|$)/.test(name))) {
    add(
      'attributes',
      'name',
      'attributes has a name that is empty or holds a NUL character',
      'lpa_has_unwritable_name(cast(c.attributes as varchar))',
    )
  }
  for (const [code, column, reason, condition] of rules.faults) {
    if (types.has(column)) faults.push({ code, column, reason, condition })
  }
  if (!isDelta) return faults
  // Of what is gone, only its name counts; that it is in clear counts always.
  const countsAlways = ({ code, column }: Fault) =>
    column === 'deleted' || code.endsWith(':clear') || rules.identity.includes(column ?? '')
  return faults.map((fault) =>
    countsAlways(fault)
      ? fault
      : { ...fault, condition: `not coalesce(c.deleted, false) and (${fault.condition})` },
  )
}

/** The mapping's output, cast to the entity's types, with derived columns and `fault`, the code of what is wrong. */
function checkedSql(
  { loadId, source }: StageTwoOptions,
  rules: EntityRules,
  { sql, types }: Outputs,
  faults: readonly Fault[],
): string {
  const given = rules.inputs.filter((column) => types.has(column.name))
  const casts = rules.inputs.map((column) =>
    types.has(column.name)
      ? `${castSql(column.type, `m.${quoteName(column.name)}`, types.get(column.name) ?? '')} as ${column.name}`
      : `cast(null as ${column.type}) as ${column.name}`,
  )
  const columns = rules.columns.map(({ name, type }) => {
    if (name === 'source') return `${quoteText(source)} as source`
    if (name === 'load_id') return `cast(${loadId} as bigint) as load_id`
    if (name === 'position') return 'source_row as position'
    const expression = rules.derived[name]
    return expression ? `cast(${expression} as ${type}) as ${name}` : name
  })
  const keepGiven = given.map(({ name }) => `m.${quoteName(name)} as given_${name}`)
  if (types.has('attributes')) keepGiven.push('m.attributes as given_attributes')
  const isDelta = types.has('deleted')
  if (isDelta) keepGiven.push('m.deleted as given_deleted')
  casts.push(`${isDelta ? castSql('boolean', 'm.deleted', types.get('deleted') ?? '') : 'false'} as deleted`)
  return `with m as (${sql}
    ),
    c as (select m.source_row, ${[...casts, `${attributesSql(types)} as attributes`, ...keepGiven].join(', ')} from m),
    f as (select *, cast(case ${faults.map(({ condition }, index) => `when ${condition} then ${index + 1}`).join('\n      ')}
      end as utinyint) as fault from c)
    select ${columns.join(', ')}, coalesce(deleted, false) as lpa_deleted, fault from f`
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
    const zoned = given === 'TIMESTAMP WITH TIME ZONE' ? value : timeSql(textOf(value, given))
    return `cast(${zoned} at time zone 'UTC' as timestamp)`
  }
  if (type === 'date' && given === 'VARCHAR') {
    return `case when regexp_full_match(${value}, '${DATE_SHAPE}') then try_cast(${value} as date) end`
  }
  return given === 'VARCHAR' ? `try_cast(nullif(${value}, '') as ${type})` : `try_cast(${value} as ${type})`
}

const DATE_SHAPE = '\\s*\\d{4}[-/]\\d{1,2}[-/]\\d{1,2}([T ].*)?'
const NO_SECONDS = '^(\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:\\d\\d)(Z|[+-]\\d\\d(?::?\\d\\d)?)$'

/**
 * DuckDB takes words such as epoch and infinity for times, and none without seconds before a zone. A time that names its
 * zone (`… Europe/Berlin`) would also shift those that come after it: offsets and Z only.
 */
function timeSql(text: string): string {
  const withSeconds = `regexp_replace(${text}, '${NO_SECONDS}', '\\1:00\\2')`
  const isUtc = `${text}[-1] = 'Z' and ${text}[-2] between '0' and '9'`
  return `case when (${text}[1] between '0' and '9' or ${text}[1] = ' ')
      and ((${isUtc}) or regexp_full_match(${text}, '[-0-9TZ:.,+/ ]*'))
    then coalesce(try_cast(${text} as timestamptz), try_cast(${withSeconds} as timestamptz)) end`
}

function textOf(value: string, given: string): string {
  return given === 'VARCHAR' ? value : `cast(${value} as varchar)`
}

/** `attributes` and the columns named `attributes.NAME`, nulls left out; null when nothing is left. */
function attributesSql(types: ReadonlyMap<string, string>): string {
  const named = [...types.keys()].filter((name) => name.startsWith('attributes.'))
  // Of what is no JSON or too deep there is a fault: no function may see it.
  const text = 'cast(m.attributes as varchar)'
  const base = types.has('attributes')
    ? `case when not lpa_is_deep(${text}) then ${types.get('attributes') === 'JSON' ? 'm.attributes' : `case when json_valid(${text}) then cast(${text} as json) end`} end`
    : 'cast(null as json)'
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
  faults: readonly Fault[],
  isDelta: boolean,
): Promise<StageTwoResult> {
  const { folder, loadId, mapping, groupRows } = options
  const isEvent = mapping.entity === 'learning_event'
  const stem = `load_${String(loadId).padStart(6, '0')}_${mapping.name.replace(/^.*\//, '').replace(/\W+/g, '-')}`

  const records = await readNumber(connection, 'select count(*) from lpa_records')
  const malformed = await markExcluded(connection, mapping, isEvent)

  const staging = join(folder, `${stem}.parquet`)
  const columns = rules.columns.map(({ name }) => `c.${name}`).join(', ')
  const rows = await copy(
    connection,
    `select ${columns} from lpa_checked c anti join lpa_rejects x on x.position = c.position
     ${isEvent ? 'anti join lpa_doubled d on d.position = c.position and d.event_id = c.event_id' : ''}
     ${isDelta ? 'where not c.lpa_deleted' : ''}`,
    staging,
    groupRows,
  )
  const files: ParquetFile[] = [await describeFile(rules.table, staging, rows)]
  const deletions = join(folder, `${stem}_deletions.parquet`)
  const deleted = isDelta ? await copy(connection, deletionsSql(mapping, rules), deletions, groupRows) : 0
  if (deleted > 0) files.push(await describeFile('staging.stg_deletion', deletions, deleted))
  const made = deleted > 0 ? [staging, deletions] : [staging]
  const mapped = await readNumber(
    connection,
    `select count(distinct position) from read_parquet([${made.map(quoteText).join(', ')}])`,
  )
  // Records of which nothing else is left.
  const doubled = await readNumber(
    connection,
    `select count(distinct position) from lpa_doubled
     anti join (select position from read_parquet(${quoteText(staging)})) s using (position)`,
  )

  if (isEvent) {
    const raw = join(folder, `${stem}_raw.parquet`)
    const kept = await copy(
      connection,
      `select cast(${loadId} as bigint) as load_id, ${quoteText(options.source)} as source, ${quoteText(options.format)} as format,
         source_row as position, timestamp ${quoteText(options.loadedAt.replace('T', ' ').replace('Z', ''))} as received_at,
         ${payloadSql(options.fields)} as payload
       from lpa_records anti join lpa_rejects x on x.position = source_row`,
      raw,
      groupRows,
      // Payloads differ from one another: a dictionary costs time and gains nothing.
      ', compression_level 1, string_dictionary_page_size_limit 1024',
    )
    files.push(await describeFile('raw.raw_learning_events', raw, kept))
  }
  const rejected = malformed + options.broken.length
  let reasons: StageTwoResult['reasons'] = []
  if (rejected > 0) {
    await placeRejects(connection, options, faults)
    const target = join(folder, `${stem}_rejects.parquet`)
    await copy(connection, rejectsSql(options), target, groupRows)
    files.push(await describeFile('raw.rejected_rows', target, rejected))
    reasons = await readRows(
      connection,
      `select code, any_value(reason) as reason, count(*) as count, arg_min(place, line) as "first"
       from lpa_placed group by code order by count(*) desc, code`,
    )
  }
  return {
    files,
    rows: rows + deleted,
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

/**
 * Finds what staging leaves out, in one light pass over casts and ids. Makes lpa_rejects, whose records have a fault in
 * any of their rows, and lpa_doubled, rows whose event id came before on the same day. Answers the number of rejects.
 */
async function markExcluded(
  connection: DuckDBConnection,
  mapping: Mapping,
  isEvent: boolean,
): Promise<number> {
  const run = (sql: string) => connection.run(sql)
  await run(
    isEvent
      ? 'create temp table lpa_marks as select position, fault, hash(event_id, date_key) as h from lpa_checked'
      : 'create temp table lpa_marks as select position, fault from lpa_checked where fault is not null',
  )
  await run(`create temp table lpa_rejects as
    select position, min(fault) as fault from lpa_marks where fault is not null group by position
    union all select source_row, ${RECORD_FAULT} + lpa_fault from lpa_records where lpa_fault is not null`)
  await run('create temp table lpa_doubled (position bigint, event_id varchar)')
  if (isEvent) {
    // Equal hashes make few candidates, so looking at their ids is a small join.
    await run(`create temp table lpa_candidates as select distinct position from lpa_marks
      semi join (select h from lpa_marks where fault is null group by h having count(*) > 1) using (h)`)
    if ((await readNumber(connection, 'select count(*) from lpa_candidates')) > 0) {
      await run(`create temp table lpa_places as
        select c.position, c.event_id,
          row_number() over (partition by c.event_id, c.date_key order by c.position) as place,
          row_number() over (partition by c.event_id, c.date_key, c.position) as place_in_record
        from lpa_checked c semi join lpa_candidates using (position) anti join lpa_rejects using (position)`)
      await refuseEqualIds(connection, mapping)
      await run('insert into lpa_doubled select position, event_id from lpa_places where place > 1')
    }
  }
  await run('drop table lpa_marks')
  return readNumber(connection, 'select count(*) from lpa_rejects')
}

async function refuseEqualIds(connection: DuckDBConnection, mapping: Mapping): Promise<void> {
  if ((await readNumber(connection, 'select count(*) from lpa_places where place_in_record > 1')) === 0)
    return
  throw new UserError('LPA-MAPPING-SQL', 'It makes several events of one record that have the same id.', {
    exit: 'config',
    where: mapping.path,
    next: "Give each its own, such as: id || '/' || part as event_id",
  })
}

/** The records that a delta says are gone, as rows of staging.stg_deletion. */
function deletionsSql({ entity }: Mapping, { deletionKeys }: EntityRules): string {
  const keys = [
    ['enrollment_id', 'varchar'],
    ['learner_key', 'bigint'],
    ['course_key', 'bigint'],
    ['category_key', 'bigint'],
    ['instructor_key', 'bigint'],
  ] as const
  const columns = keys.map(([name, type]) =>
    deletionKeys.includes(name) ? `c.${name}` : `cast(null as ${type}) as ${name}`,
  )
  return `select ${quoteText(entity)} as entity, ${columns.join(', ')}, c.effective_at, c.source, c.load_id, c.position
    from lpa_checked c anti join lpa_rejects x on x.position = c.position where c.lpa_deleted`
}

async function copy(
  connection: DuckDBConnection,
  select: string,
  target: string,
  groupRows: number,
  more = '',
): Promise<number> {
  const result = await connection.run(
    `copy (${select}) to ${quoteText(target)} (format parquet, compression zstd, parquet_version v2, row_group_size ${groupRows}${more})`,
  )
  return result.rowsChanged
}

/** Gives every reject its reason in words and its place, `file:line`. */
async function placeRejects(
  connection: DuckDBConnection,
  { broken, lineOf, uri }: StageTwoOptions,
  faults: readonly Fault[],
): Promise<void> {
  await connection.run(
    'create temp table lpa_placed (position bigint, line bigint, place varchar, code varchar, reason varchar, column_name varchar)',
  )
  const found = await readRows<{ position: number; fault: number }>(
    connection,
    'select position, fault from lpa_rejects order by position',
  )
  const places = found.map(({ position, fault }) => {
    const own = faults[fault - 1]
    const { code, reason } =
      own ?? (RECORD_FAULTS[fault - RECORD_FAULT - 1] as { code: string; reason: string })
    const column = own?.column ?? null
    return { position, line: lineOf(recordNumber(position, broken)), code, reason, column }
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

function rejectsSql({ loadId, source, fields }: StageTwoOptions): string {
  // The payload is made of the few rejected records only, after the join.
  return `with placed as (
      select p.*, r.* from lpa_placed p
      left join (select * from lpa_records semi join lpa_placed on lpa_placed.position = lpa_records.source_row) r
        on r.source_row = p.position)
    select cast(${loadId} as bigint) as load_id, ${quoteText(source)} as source, place as position, code as reason_code,
      reason, column_name, lpa_bytes as byte_length, lpa_content as content_hmac,
      case when lpa_fault is null then ${payloadSql(fields)} end as payload,
      cast(null as timestamp) as requeued_at
    from placed
    order by line, placed.position`
}

/** Syncs a finished file and hashes it. */
async function describeFile(table: string, path: string, rows: number): Promise<ParquetFile> {
  const handle = await open(path, 'r+')
  await handle.sync()
  await handle.close()
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
  return { table, path, rows, sha256: hash.digest('hex') }
}
