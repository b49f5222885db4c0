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
import { ERASED } from '../pseudonym.ts'
import type { Counts, ParquetFile } from '../types.ts'
import { checkedSql } from './casts.ts'
import { type EntityRules, entityRules } from './entities.ts'
import { type Fault, faultsOf } from './faults.ts'
import type { Field } from './fields.ts'
import { createJsonMacros } from './json-macros.ts'
import { prepareMapping, strayRows } from './prepare-mapping.ts'
import { recordIdSql } from './record-id.ts'
import { markExcluded, placeRejects, rejectsSql } from './rejects.ts'
import { payloadSql, sourceSql } from './source-sql.ts'
import type { StageTwoOptions } from './stage-two-options.ts'
import { valueFailure } from './value-failure.ts'

export interface StageTwoResult {
  readonly files: readonly ParquetFile[]
  /** `read` is what stage one gave: the caller holds it against the independent count. */
  readonly counts: Counts
  readonly rows: number
  /** Of them, those whose export tells no time of change: they count from their load, and the last load of an id wins. */
  readonly undated: number
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
  await run(`create temp view lpa_records as ${options.records}`)
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
      recordId: await recordIdSql(connection, options),
      loadedAt: sqlTime(options.loadedAt),
      mayComeAgain: options.mayComeAgain ?? false,
    })
    const outputs = await prepareMapping(connection, options, rules)
    const faults = faultsOf(rules, outputs, options.header.length > 0)
    await run(`create view lpa_checked as ${checkedSql(options, rules, outputs, faults)}`)
    try {
      return await write(connection, options, rules, faults)
    } catch (error) {
      throw await valueFailure(connection, options, error)
    }
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

async function write(
  connection: DuckDBConnection,
  options: StageTwoOptions,
  rules: EntityRules,
  faults: readonly Fault[],
): Promise<StageTwoResult> {
  const { folder, loadId, mapping } = options
  const isEvent = mapping.entity === 'learning_event'
  const stem = `load_${String(loadId).padStart(6, '0')}_${mapping.name.replace(/^.*\//, '').replace(/\W+/g, '-')}`

  const records = await readNumber(connection, 'select count(*) from lpa_records')
  const { malformed, deleted: deletions } = await markExcluded(connection, mapping, isEvent)

  const staging = join(folder, `${stem}.parquet`)
  const columns = rules.columns.map(({ name }) => `c.${name}`).join(', ')
  const rows = await copy(
    connection,
    `select ${columns} from lpa_checked c anti join lpa_rejects x on x.position = c.position
     ${isEvent ? 'anti join lpa_doubled d on d.position = c.position and d.event_id = c.event_id' : ''}
     ${deletions > 0 ? 'where not c.lpa_deleted' : ''}`,
    staging,
    options,
  )
  const files: ParquetFile[] = [await describeFile(rules.table, staging, rows)]
  const gone = join(folder, `${stem}_deletions.parquet`)
  const deleted = deletions > 0 ? await copy(connection, deletionsSql(options, rules), gone, options) : 0
  if (deleted > 0) files.push(await describeFile('staging.stg_deletion', gone, deleted))
  const made = `read_parquet([${(deleted > 0 ? [staging, gone] : [staging]).map(quoteText).join(', ')}])`
  const last = options.isReplay
    ? await readNumber(connection, 'select coalesce(max(source_row), 0) from lpa_records')
    : records
  // A row of a subquery's own has the number of no record.
  const stray = await readNumber(
    connection,
    `select count(*) from (select position from lpa_rejects union all select position from ${made})
     where position is null or position not between 1 and ${last}`,
  )
  if (stray > 0) throw strayRows(mapping)
  const mapped = await readNumber(connection, `select count(distinct position) from ${made}`)
  const hasTimes = rules.columns.some(({ name }) => name === 'effective_at')
  // A snapshot replaces what was there: that is told by itself.
  const undated =
    hasTimes && mapping.export !== 'snapshot'
      ? await readNumber(
          connection,
          `select count(*) from ${made} where effective_at = timestamp ${sqlTime(options.loadedAt)}`,
        )
      : 0
  // Records of which nothing else is left.
  const doubled = await readNumber(
    connection,
    `select count(distinct position) from lpa_doubled
     anti join (select position from read_parquet(${quoteText(staging)})) s using (position)`,
  )

  if (isEvent) {
    const raw = join(folder, `${stem}_raw.parquet`)
    // Of somebody else's record the rest is kept.
    const others = options.mayBeErased
      ? `where not contains(cast(payload as varchar), '${ERASED}') or position in (select position from ${made})`
      : ''
    const kept = await copy(
      connection,
      `from (select cast(${loadId} as bigint) as load_id, ${quoteText(options.source)} as source, ${quoteText(options.format)} as format,
         source_row as position, timestamp ${sqlTime(options.loadedAt)} as received_at,
         ${payloadSql(options.fields, await fieldsWithValues(connection, options.fields))} as payload
       from lpa_records anti join lpa_rejects x on x.position = source_row) ${others}`,
      raw,
      options,
      // Payloads differ from one another: a dictionary costs time and gains nothing.
      ', string_dictionary_page_size_limit 1024',
    )
    files.push(await describeFile('raw.raw_learning_events', raw, kept))
  }
  const rejected = malformed + options.broken.length
  let reasons: StageTwoResult['reasons'] = []
  if (rejected > 0) {
    await placeRejects(connection, options, faults)
    const target = join(folder, `${stem}_rejects.parquet`)
    await copy(connection, rejectsSql(options), target, options)
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
    undated,
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

/** An export seldom has all that its format may have, and an absent value costs as much to write as one that is there. */
async function fieldsWithValues(connection: DuckDBConnection, fields: readonly Field[]): Promise<Field[]> {
  if (fields.length === 0) return []
  const isThere = fields.map(({ name }) => `count(${quoteName(name)}) > 0`)
  const reader = await connection.runAndReadAll(`select ${isThere.join(', ')} from lpa_records`)
  const [row] = reader.getRows()
  return fields.filter((_, index) => row?.[index])
}

/** The records that say that something is gone, as rows of staging.stg_deletion. */
function deletionsSql(
  { mapping, loadedAt }: StageTwoOptions,
  { columns, deletionKeys }: EntityRules,
): string {
  const keys = [
    ['enrollment_id', 'varchar'],
    ['learner_key', 'bigint'],
    ['course_key', 'bigint'],
    ['category_key', 'bigint'],
    ['instructor_key', 'bigint'],
    ['event_id', 'varchar'],
  ] as const
  const named = keys.map(([name, type]) =>
    deletionKeys.includes(name) ? `c.${name}` : `cast(null as ${type}) as ${name}`,
  )
  const isDated = columns.some(({ name }) => name === 'effective_at')
  const at = isDated ? 'c.effective_at' : `timestamp ${sqlTime(loadedAt)} as effective_at`
  return `select ${quoteText(mapping.entity)} as entity, ${named.join(', ')}, ${at}, c.source, c.load_id, c.position
    from lpa_checked c anti join lpa_rejects x on x.position = c.position where c.lpa_deleted`
}

function sqlTime(instant: string): string {
  return quoteText(instant.replace('T', ' ').replace('Z', ''))
}

async function copy(
  connection: DuckDBConnection,
  select: string,
  target: string,
  { groupRows, parquetVersion }: StageTwoOptions,
  more = '',
): Promise<number> {
  const result = await connection.run(
    `copy (${select}) to ${quoteText(target)} (format parquet, compression zstd, compression_level 1, parquet_version ${parquetVersion}, row_group_size ${groupRows}${more})`,
  )
  return result.rowsChanged
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
