/** What events without an id are named by, so that reading the same record again gives the same event. */

import type { DuckDBConnection } from '@duckdb/node-api'
import { quoteText } from '../duckdb.ts'
import type { RecordPlace } from './input.ts'
import type { BrokenRow } from './stage-one.ts'
import type { StageTwoOptions } from './stage-two-options.ts'

/** SQL over `source_row`: of a file its content and the record's number, of messages topic, partition and offset. */
export async function recordIdSql(
  connection: DuckDBConnection,
  { source, contentSha256, places, broken }: StageTwoOptions,
): Promise<string> {
  if (!places)
    return `${quoteText(`${source}:${contentSha256.slice(0, 16)}:`)} || cast(source_row as varchar)`
  await connection.run(
    'create temp table lpa_message_run (first_row bigint, id varchar, first_offset bigint)',
  )
  const appender = await connection.createAppender('lpa_message_run', 'main', 'temp')
  for (const { row, id, offset } of runsByRow(places, broken)) {
    appender.appendBigInt(BigInt(row))
    appender.appendVarchar(`${source}:${id}-`)
    appender.appendBigInt(BigInt(offset))
    appender.endRow()
  }
  appender.closeSync()
  return 'message_id || cast(first_offset + source_row - first_row as varchar)'
}

/** Joins the mapping's output, `m`, with what recordIdSql reads. */
export const MESSAGE_RUNS =
  'asof left join (select first_row, id as message_id, first_offset from lpa_message_run) p on m.source_row >= p.first_row'

/** The same by numbers of rows: a record that could not be read at all has none, and those after it are one less. */
export function runsByRow(
  places: readonly RecordPlace[],
  broken: readonly Pick<BrokenRow, 'record'>[],
): { readonly row: number; readonly id: string; readonly offset: number }[] {
  const starts = [...places.map(({ record }) => record), ...broken.map(({ record }) => record + 1)]
  const runs = new Map<number, { row: number; id: string; offset: number }>()
  let place = 0
  let gone = 0
  for (const start of [...new Set(starts)].sort((a, b) => a - b)) {
    while ((places[place + 1]?.record ?? Number.POSITIVE_INFINITY) <= start) place += 1
    while ((broken[gone]?.record ?? Number.POSITIVE_INFINITY) < start) gone += 1
    const { record, id, offset } = places[place] as RecordPlace
    const row = start - gone
    runs.set(row, { row, id, offset: offset + start - record })
  }
  return [...runs.values()]
}
