/** Records that staging leaves out: bad ones with reason and place, and doubles. */

import type { DuckDBConnection } from '@duckdb/node-api'
import { quoteText, readNumber, readRows } from '../duckdb.ts'
import { UserError } from '../errors.ts'
import { ERASED } from '../pseudonym.ts'
import type { Fault } from './faults.ts'
import type { Mapping } from './mapping.ts'
import { payloadSql } from './source-sql.ts'
import { type BrokenRow, recordFault } from './stage-one.ts'
import type { StageTwoOptions } from './stage-two-options.ts'

/** In SQL a fault is its number: from 1 those of the mapping's output, from here on those of stage one. */
const RECORD_FAULT = 200

/** How many records are rejected, and how many rows say that something is gone. */
export interface Excluded {
  readonly malformed: number
  readonly deleted: number
}

/**
 * Finds what staging leaves out, in one light pass over casts and ids. Makes lpa_rejects, whose records have a fault in
 * any of their rows, and lpa_doubled, rows whose event id came before on the same day.
 */
export async function markExcluded(
  connection: DuckDBConnection,
  mapping: Mapping,
  isEvent: boolean,
): Promise<Excluded> {
  const run = (sql: string) => connection.run(sql)
  await run(
    isEvent
      ? 'create temp table lpa_marks as select position, fault, lpa_deleted, hash(event_id, date_key) as h from lpa_checked'
      : 'create temp table lpa_marks as select position, fault, lpa_deleted from lpa_checked where fault is not null or lpa_deleted',
  )
  await run(`create temp table lpa_rejects as
    select position, min(fault) as fault from lpa_marks where fault is not null group by position
    union all select source_row, ${RECORD_FAULT} + lpa_fault from lpa_records where lpa_fault is not null`)
  await run('create temp table lpa_doubled (position bigint, event_id varchar)')
  if (isEvent) {
    // Equal hashes make few candidates, so looking at their ids is a small join.
    await run(`create temp table lpa_candidates as select distinct position from lpa_marks
      semi join (select h from lpa_marks where fault is null and not lpa_deleted group by h having count(*) > 1) using (h)`)
    if ((await readNumber(connection, 'select count(*) from lpa_candidates')) > 0) {
      await run(`create temp table lpa_places as
        select c.position, c.event_id,
          row_number() over (partition by c.event_id, c.date_key order by c.position) as place,
          row_number() over (partition by c.event_id, c.date_key, c.position) as place_in_record
        from lpa_checked c semi join lpa_candidates using (position) anti join lpa_rejects using (position)
        where not c.lpa_deleted`)
      await refuseEqualIds(connection, mapping)
      await run('insert into lpa_doubled select position, event_id from lpa_places where place > 1')
    }
  }
  const deleted = await readNumber(connection, 'select count(*) from lpa_marks where lpa_deleted')
  await run('drop table lpa_marks')
  return { malformed: await readNumber(connection, 'select count(*) from lpa_rejects'), deleted }
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

/** Gives every reject its reason in words and its place. */
export async function placeRejects(
  connection: DuckDBConnection,
  { broken, lineOf, placeOf, fields }: StageTwoOptions,
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
    const { code, reason, column } = faults[fault - 1] ?? recordFault(fault - RECORD_FAULT, fields)
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
    appender.appendVarchar(placeOf(line))
    appender.appendVarchar(code)
    appender.appendVarchar(reason)
    if (column === null) appender.appendNull()
    else appender.appendVarchar(column)
    appender.endRow()
  }
  appender.closeSync()
}

/** Rows that could not be read at all have no number among the records: count past them. */
export function recordNumber(position: number, broken: readonly BrokenRow[]): number {
  let record = position
  for (const row of broken) {
    if (row.record > record) break
    record += 1
  }
  return record
}

export function rejectsSql({ loadId, source, fields, mayBeErased, requeuedAt }: StageTwoOptions): string {
  const payload = payloadSql(fields)
  const isKept = `lpa_fault is null ${mayBeErased ? `and not contains(cast(${payload} as varchar), '${ERASED}')` : ''}`
  const requeued = requeuedAt ? quoteText(requeuedAt.replace('T', ' ').replace('Z', '')) : 'null'
  // The payload is made of the few rejected records only, after the join.
  return `with placed as (
      select p.*, r.* from lpa_placed p
      left join (select * from lpa_records semi join lpa_placed on lpa_placed.position = lpa_records.source_row) r
        on r.source_row = p.position)
    select cast(${loadId} as bigint) as load_id, ${quoteText(source)} as source, place as position, code as reason_code,
      reason, column_name, lpa_bytes as byte_length, lpa_content as content_hmac,
      case when ${isKept} then ${payload} end as payload,
      cast(${requeued} as timestamp) as requeued_at
    from placed
    order by line, placed.position`
}
