/** Records that went through stage one elsewhere, as Parquet files: stage two makes of them what it makes of any. */

import { createHash } from 'node:crypto'
import { mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { openDuckDB, quoteName, quoteText, readRows } from '../duckdb.ts'
import { UserError } from '../errors.ts'
import { type Field, fieldsOf } from './fields.ts'
import {
  discardStaged,
  type FileRequest,
  loadIdsOf,
  recogniseInput,
  type StagedFile,
  stagedFolder,
  stageFile,
} from './files.ts'
import type { Input } from './input.ts'
import { MessageLines } from './kafka/message-lines.ts'
import type { Mapping } from './mapping.ts'
import { parseSelect, readsSourceOnly, takenAs } from './select-tree.ts'
import { recordsSql } from './source-sql.ts'
import { unsealed } from './spark/seal.ts'
import type { OnPersonal } from './stage-one.ts'
import { stageTwo } from './stage-two.ts'

/** As of messages that no Spark has read. */
const PERSONAL: OnPersonal = 'reject record'

/** Columns beside those of stage one: where a record stands in what it came from; of files no number. */
export const PLACE = { name: 'lpa_from', part: 'lpa_part', number: 'lpa_number' } as const

/** And by what it was read. */
export const READ_BY = 'lpa_read_by'

/** What pseudonyms and fields of a record depend on. */
export function readBy(mapping: Mapping, { key, idSpace }: Pick<FileRequest, 'key' | 'idSpace'>): string {
  return createHash('sha256').update([key.id, mapping.sha256, idSpace].join('\n')).digest('hex').slice(0, 16)
}

export interface RecordsElsewhere {
  readonly files: readonly string[]
  readonly mapping: Mapping
  /** What stands for all of it in the ledger. */
  readonly uri: string
  /** Tells this batch of records from all others. */
  readonly identity: string
  /** Whether their places tell them for good, as topic, partition and offset do. */
  readonly isPlaced: boolean
}

const GROUP_ROWS = 122_880
/** So much of what was sealed is opened at a time: it is clear text, in memory. */
const PAGE_BYTES = 32 * 1024 * 1024

export interface StagedElsewhere {
  readonly staged: readonly StagedFile[]
  /** How many records were sealed. */
  readonly sealed: number
}

/** Stages them: as one load, and those that were sealed as others. Nothing is committed. */
export async function stageRecords(
  elsewhere: RecordsElsewhere,
  request: FileRequest,
  pageBytes = PAGE_BYTES,
): Promise<StagedElsewhere> {
  const staged: StagedFile[] = []
  const loadId = await request.nextLoadId()
  const folder = stagedFolder(request.scratch, loadId)
  mkdirSync(folder, { recursive: true })
  try {
    const gathered = await gather(elsewhere, { folder, request, pageBytes })
    if (gathered.runs.length > 0)
      staged.push(await stageGathered(elsewhere, gathered, { loadId, folder, request }))
    for await (const input of sealedInputs(elsewhere, gathered, request)) {
      const asked = { mappings: request.mappings, entity: request.entity, personal: PERSONAL }
      staged.push(
        ...(await stageFile(await recogniseInput(input, asked), { ...request, personal: PERSONAL })),
      )
    }
    if (gathered.runs.length === 0) discardStaged(request.scratch, [loadId])
    else rmSync(gathered.sealed, { force: true })
    return { staged, sealed: gathered.pages.reduce((sum, { records }) => sum + records, 0) }
  } catch (error) {
    discardStaged(request.scratch, [loadId, ...loadIdsOf(staged)])
    throw error
  }
}

async function stageGathered(
  { files, mapping, uri, identity, isPlaced }: RecordsElsewhere,
  { runs, records, fields }: Gathered,
  { loadId, folder, request }: { loadId: number; folder: string; request: FileRequest },
): Promise<StagedFile> {
  const { signal, timezone, memoryLimit, threads, key, idSpace, source } = request
  const startedAt = new Date().toISOString()
  const contentSha256 = createHash('sha256').update(identity).digest('hex')
  const two = await stageTwo({
    ...{
      mapping,
      fields,
      records,
      folder,
      loadId,
      uri,
      timezone,
      threads,
      signal,
      source,
      idSpace,
      memoryLimit,
    },
    ...{ header: [], broken: [], contentSha256, format: mapping.name, loadedAt: startedAt },
    records: recordsSql(records),
    lineOf: (record) => record,
    placeOf: (record) => placeIn(runs, record),
    places: isPlaced
      ? runs.map(({ name, part, record, offset }) => ({ record, offset: offset ?? 0, id: `${name}-${part}` }))
      : undefined,
    groupRows: GROUP_ROWS,
    parquetVersion: request.parquetVersion ?? 'v2',
  })
  rmSync(records)
  return {
    ...{ mapping, reasons: two.reasons, undated: two.undated, leftOut: [] },
    batch: {
      files: two.files,
      load: {
        ...{ loadId, uri, startedAt, source, contentSha256, keyId: key.id },
        format: mapping.name,
        bytes: files.reduce((sum, file) => sum + statSync(file).size, 0),
        counts: two.counts,
        mappingSha256: mapping.sha256,
        entities: { [mapping.entity]: two.rows },
      },
    },
  }
}

/** What only the embedded engine reads, as the messages that they were, page by page. */
async function* sealedInputs(
  { uri, isPlaced }: RecordsElsewhere,
  { sealed, pages }: Gathered,
  { key, memoryLimit, timezone }: FileRequest,
): AsyncGenerator<Input> {
  if (pages.length === 0) return
  await using database = await openDuckDB({ memoryLimit, spillFolder: '', timezone })
  for (const { name, first, last } of pages) {
    const rows = await readRows<{ part: number; number: bigint | null; value: string }>(
      database.connection,
      `select ${PLACE.part} as part, ${PLACE.number} as number, to_base64(lpa_sealed) as value
       from ${inOrder(sealed)} where file_row_number between ${first} and ${last} order by file_row_number`,
    )
    const lines = new MessageLines(name, name)
    for (const { part, number, value } of rows) {
      const bytes = unsealed(key, Buffer.from(value, 'base64'))
      lines.add(part, [{ offset: String(number ?? 0), value: bytes }])
    }
    const input = lines.input(uri)
    yield isPlaced ? input : { ...input, places: undefined, placeOf: () => name }
  }
}

/**
 * By what doubles of a record are known before the mapping has seen it: the columns that its SELECT takes as event_id and
 * occurred_at just as they are. Undefined where it makes these itself: then only the warehouse finds doubles.
 */
export async function doublesBy(mapping: Mapping): Promise<readonly string[] | undefined> {
  await using database = await openDuckDB({ memoryLimit: '100MB', spillFolder: '', timezone: 'UTC' })
  const tree = await parseSelect(database.connection, mapping)
  if (!readsSourceOnly(tree)) return undefined
  const fields = fieldsOf(mapping, undefined)
  const found = ['event_id', 'occurred_at'].map((output) => {
    const [name, ...others] = takenAs(tree, output)
    return others.length === 0 ? fields.find((field) => field.isColumn && field.name === name) : undefined
  })
  return found.every((field) => field !== undefined) ? found.map(({ name }) => name) : undefined
}

/** Records in a row whose numbers follow one another. */
interface Run {
  readonly record: number
  readonly name: string
  readonly part: number
  readonly offset: number | undefined
}

/** Rows of the file of sealed records, of one topic or file. */
interface SealedPage {
  readonly name: string
  readonly first: number
  readonly last: number
  readonly records: number
}

interface Gathered {
  /** As stage one writes them: one file, in order. */
  readonly records: string
  readonly fields: readonly Field[]
  readonly runs: readonly Run[]
  /** Of those that were sealed. */
  readonly sealed: string
  readonly pages: readonly SealedPage[]
}

async function gather(
  { files, mapping }: RecordsElsewhere,
  { folder, request, pageBytes }: { folder: string; request: FileRequest; pageBytes: number },
): Promise<Gathered> {
  const { memoryLimit, timezone } = request
  await using database = await openDuckDB({ memoryLimit, spillFolder: join(folder, 'spill'), timezone })
  const { connection } = database
  const records = join(folder, 'records.parquet')
  const fields = fieldsOf(mapping, undefined)
  const place = Object.values(PLACE).join(', ')
  await connection.run(`create temp view all_records as
    select * from read_parquet([${files.map(quoteText).join(', ')}], hive_partitioning = false)`)
  await assertReadBy(connection, readBy(mapping, request))
  await connection.run('create temp view arrived as select * from all_records where lpa_sealed is null')
  const columns = [...fields.map(({ name }) => quoteName(name)), ...WELL_FORMED]
  await connection.run(`copy (select ${columns.join(', ')} from arrived order by ${place})
    to ${quoteText(records)} (format parquet, compression lz4, parquet_version v2)`)
  const sealed = join(folder, 'sealed.parquet')
  await connection.run(`copy (select ${place}, lpa_sealed from all_records where lpa_sealed is not null order by ${place})
    to ${quoteText(sealed)} (format parquet, compression uncompressed, row_group_size 2048)`)
  const pages = await pagesOf(connection, sealed, pageBytes)
  return { ...{ records, fields, runs: await runsOf(connection, place) }, ...{ sealed, pages } }
}

/** Each of as many records as fit, of one at least. */
function pagesOf(connection: DuckDBConnection, sealed: string, pageBytes: number): Promise<SealedPage[]> {
  return readRows<SealedPage>(
    connection,
    `with sizes as (
       select ${PLACE.name} as name, file_row_number as row, octet_length(lpa_sealed) as bytes from ${inOrder(sealed)}
     ), pages as (
       select *, sum(bytes) over (partition by name order by row) // ${pageBytes} as page from sizes
     )
     select name, min(row) as "first", max(row) as "last", count(*) as records from pages group by name, page order by 2`,
  )
}

function inOrder(file: string): string {
  return `read_parquet(${quoteText(file)}, file_row_number = true)`
}

/** @throws UserError config (78) for records that were read by another key, mapping or id space */
async function assertReadBy(connection: DuckDBConnection, now: string): Promise<void> {
  const others = await readRows(
    connection,
    `select 1 from all_records where ${READ_BY} <> ${quoteText(now)} limit 1`,
  )
  if (others.length === 0) return
  throw new UserError(
    'LPA-STREAM-KEY',
    'Records wait that were read under another key, mapping or id space.',
    {
      exit: 'config',
      next: [
        'Set it back, and run the stream once with --until-caught-up: then none is left.',
        'If it was changed on purpose, read everything again: --reset-offsets',
      ],
    },
  )
}

/** What stage one says of records that it could read. */
const WELL_FORMED = [
  'cast(null as usmallint) as lpa_fault',
  'cast(null as bigint) as lpa_bytes',
  'cast(null as varchar) as lpa_content',
]

async function runsOf(connection: DuckDBConnection, place: string): Promise<Run[]> {
  const rows = await readRows<{ record: bigint; name: string; part: number; number: bigint | null }>(
    connection,
    `with numbered as (
       select *, row_number() over (order by ${place}) as record from arrived
     ), runs as (
       select *, coalesce(${PLACE.number} - record, 0) as run from numbered
     )
     select min(record) as record, ${PLACE.name} as name, ${PLACE.part} as part, min(${PLACE.number}) as number
     from runs group by ${PLACE.name}, ${PLACE.part}, run order by 1`,
  )
  return rows.map(({ record, number, name, part }) => ({
    ...{
      record: Number(record),
      name,
      part: Number(part),
      offset: number === null ? undefined : Number(number),
    },
  }))
}

function placeIn(runs: readonly Run[], record: number): string {
  const run = runs.findLast((one) => one.record <= record)
  if (run?.offset === undefined) return run?.name ?? ''
  return `${run.name}-${run.part}-${run.offset + record - run.record}`
}
