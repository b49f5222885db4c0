/**
 * The front end over what raw kept of a load, in place of its input: for a mapping that changed. Paths that the earlier mapping
 * did not keep are not there, and what is personal is a pseudonym already, or left out.
 */

import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { openDuckDB, quoteName, quoteText, readRows } from '../duckdb.ts'
import type { LoadRecord } from '../types.ts'
import { type Field, fieldsOf, isJson } from './fields.ts'
import { discardStaged, type StagedFile, stagedFolder } from './files.ts'
import { createJsonMacros } from './json-macros.ts'
import { formatJsonPath } from './json-path.ts'
import { fromRaw, type Mapping } from './mapping.ts'
import { namedColumns } from './named-columns.ts'
import { stageTwo } from './stage-two.ts'
import { fieldValue, isList } from './values.ts'

export interface ReplayRequest {
  readonly mapping: Mapping
  /** The load whose records these are; the new one is of the same content. */
  readonly load: Omit<LoadRecord, 'counts' | 'entities' | 'mappingSha256'> & {
    readonly records: number
    readonly rejected: number
    readonly cursor: string | undefined
  }
  readonly idSpace: string
  readonly timezone: string
  readonly memoryLimit: string
  readonly threads: number | undefined
  readonly scratch: string
  readonly parquetVersion: 'v1' | 'v2'
  readonly signal: AbortSignal
  /** Writes `position` and `payload` of its records to a file. */
  readonly exportRaw: (file: string) => Promise<unknown>
}

/** Stages the load anew under its `loadId`. Records that were rejected then are no part of raw, and stay rejected. */
export async function stageReplay(request: ReplayRequest): Promise<StagedFile> {
  const { mapping, load, scratch } = request
  const folder = stagedFolder(scratch, load.loadId)
  mkdirSync(folder, { recursive: true })
  try {
    const { fields, header, records } = await recordsOfRaw(request, folder)
    const two = await stageTwo({
      ...{ mapping, fields, header, folder, isReplay: true, mayBeErased: true },
      records: `select * from read_parquet(${quoteText(records)})`,
      ...{ loadId: load.loadId, source: load.source, uri: load.uri, contentSha256: load.contentSha256 },
      ...{ idSpace: request.idSpace, timezone: request.timezone, memoryLimit: request.memoryLimit },
      ...{ threads: request.threads, parquetVersion: request.parquetVersion, signal: request.signal },
      ...{ format: mapping.name, loadedAt: load.startedAt, groupRows: 122_880, broken: [] },
      lineOf: (record) => record,
      placeOf: (record) => `${load.uri}:record-${record}`,
    })
    rmSync(records)
    const { mapped, doubled } = two.counts
    const rejected = two.counts.rejected + load.rejected
    const counts = {
      ...{ read: load.records, mapped, rejected, doubled },
      filtered: load.records - mapped - rejected - doubled,
    }
    const { records: _, rejected: __, cursor, ...record } = load
    return {
      ...{ mapping, reasons: two.reasons, undated: two.undated, leftOut: [] },
      batch: {
        files: two.files,
        cursor,
        load: {
          ...record,
          ...{ counts, format: mapping.name, mappingSha256: fromRaw(mapping.sha256) },
          entities: { [mapping.entity]: two.rows },
        },
      },
    }
  } catch (error) {
    discardStaged(scratch, [load.loadId])
    throw error
  }
}

/** The file that stage one would have written, with records numbered as then. */
async function recordsOfRaw(request: ReplayRequest, folder: string) {
  const { mapping, idSpace } = request
  const raw = join(folder, 'raw.parquet')
  const records = join(folder, 'records.parquet')
  await request.exportRaw(raw)
  await using database = await openDuckDB({
    memoryLimit: request.memoryLimit,
    spillFolder: join(folder, 'spill'),
    timezone: request.timezone,
    threads: request.threads,
  })
  const { connection } = database
  await createJsonMacros(connection)
  await connection.run(PSEUDONYMS_ONLY)
  const kept = `(select position, cast(payload as json) as payload from read_parquet(${quoteText(raw)}))`
  const names = await readRows<{ name: string }>(
    connection,
    `select distinct unnest(json_keys(payload)) as name from ${kept} order by name`,
  )
  const isTable = !mapping.columns && !/\bpayload\b/i.test(mapping.sql)
  // Of a table, what the mapping drops is in no raw, and yet a column that it may name.
  const dropped = mapping.personal.filter(({ kind }) => !kind).map(({ target }) => target)
  const header = isTable ? [...new Set([...names.map(({ name }) => name), ...dropped])] : []
  const fields = fieldsOf(
    mapping,
    isTable ? { header, named: await namedColumns(mapping, header) } : undefined,
  )
  const options = { input: { format: 'ndjson' as const }, mapping, fields, idSpace }
  const columns = fields.map(
    (field) => `${fieldValue(field, options, { value: keptValue })} as ${quoteName(field.name)}`,
  )
  await connection.run(
    `copy (select ${[...columns, ...STATUS].join(', ')}, position as source_row from ${kept})
     to ${quoteText(records)} (format parquet, compression lz4, parquet_version v2)`,
  )
  rmSync(raw)
  return { fields, header, records }
}

const STATUS = [
  'cast(null as usmallint) as lpa_fault',
  'cast(null as bigint) as lpa_bytes',
  'cast(null as varchar) as lpa_content',
]

/** In place of stage one's: what is a pseudonym already, or several of a list, stays, and what is clear is left out. */
const PSEUDONYMS_ONLY = `create temp macro lpa_hmac(message) as
  nullif(regexp_extract(message, ':([0-9a-f]{64}(?:,[0-9a-f]{64})*)$', 1), '')`

function keptValue(field: Field): string {
  const path = quoteText(formatJsonPath(field.path))
  return isJson(field) || isList(field) ? `(payload -> ${path})` : `(payload ->> ${path})`
}
