/** The ledger of loads, which every engine writes in the transaction that brings their rows. */

import { STAGED_TABLES } from '../entities.ts'
import { readSql } from '../sql-files.ts'
import type { Batch, Engine, TableDeclaration } from '../types.ts'

export async function recordLoad(
  { dialect, execute }: Pick<Engine, 'dialect' | 'execute'>,
  { load, cursor }: Batch,
): Promise<void> {
  await execute(readSql('ledger', 'add-load', dialect).body, {
    load_id: load.loadId,
    source: load.source,
    format: load.format,
    uri: load.uri,
    content_sha256: load.contentSha256,
    bytes: load.bytes,
    ...load.counts,
    mapping_sha256: load.mappingSha256,
    key_id: load.keyId,
    started_at: load.startedAt,
    now: new Date().toISOString(),
    next_cursor: cursor ?? null,
  })
  for (const [entity, rows] of Object.entries(load.entities)) {
    await execute(readSql('ledger', 'add-load-entity', dialect).body, { load_id: load.loadId, entity, rows })
  }
}

/** The rows of loads leave their tables; their ledger rows stay and say in whose favour, as do those in whose place they were. */
export async function supersedeLoads(
  { execute }: Pick<Engine, 'execute'>,
  loadIds: readonly number[],
  by: number,
): Promise<void> {
  const ids = loadIds.join(', ')
  for (const table of STAGED_TABLES) await execute(`delete from ${table} where load_id in (${ids})`)
  await execute(
    `update meta.loads set superseded_by = ${by} where load_id in (${ids}) or superseded_by in (${ids})`,
  )
}

/**
 * How many of a load's staged rows another load does not hold at the same place; or, where it had rows that could not be read
 * and have no number, at all: mended, they move those behind them. What comes from the place or the time
 * of loading is no part of a row here.
 */
export async function countMissingRows(
  { query }: Pick<Engine, 'query'>,
  tables: readonly TableDeclaration[],
  load: number,
  other: number,
): Promise<number> {
  const { rows: unread } = await query(
    `select count(*) from raw.rejected_rows where load_id = ${load}
      and (reason_code like 'csv:%' or reason_code in ('record:too-long', 'record:encoding', 'record:broken'))`,
  )
  const isMoved = Number(unread[0]?.[0]) > 0
  let missing = 0
  for (const { name, columns } of tables.filter((table) => STAGED_TABLES.includes(table.name))) {
    if (name.startsWith('raw.')) continue
    const values = columns
      .filter((column) => !OF_LOADING.includes(column.name))
      .map((column) => (column.type === 'json' ? `cast(${column.name} as varchar)` : column.name))
    const place = isMoved
      ? `row_number() over (partition by ${values.join(', ')} order by position)`
      : 'position'
    const rows = (id: number) =>
      `select ${place} as place, ${values.join(', ')} from ${name} where load_id = ${id}`
    const { rows: counted } = await query(
      `select count(*) from (${rows(load)} except ${rows(other)}) missing_rows`,
    )
    missing += Number(counted[0]?.[0])
  }
  return missing
}

const OF_LOADING = ['load_id', 'position', 'event_id', 'enrollment_id', 'effective_at']

/** See `Engine.lastCursor`. */
export async function lastCursor(
  { dialect, query }: Pick<Engine, 'dialect' | 'query'>,
  source: string,
  format?: string,
): Promise<string | undefined> {
  const { rows } = await query(readSql('ledger', 'last-cursor', dialect).body, {
    source,
    format: format ?? null,
  })
  return rows[0] && String(rows[0][0])
}
