import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Database, openDuckDB, quoteText, readRows } from '../../duckdb.ts'
import type { TableDeclaration } from '../../types.ts'
import { joinPieces, rowsOf, unloadSql } from './unload.ts'

const TYPES = {
  ...{ course_key: 'bigint', rows: 'integer', score: 'double', seen_at: 'timestamp' },
  ...{ payload: 'json', attributes: 'variant' },
}
const TABLE: TableDeclaration = {
  ...{ kind: 'table', name: 'core.some', key: [], cluster: [], sql: '' },
  ...{ grain: undefined, partitionMonth: undefined },
  columns: Object.entries(TYPES).map(([name, type]) => ({ name, type, required: false })),
}

let folder: string
let database: Database
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-unload-'))
  mkdirSync(join(folder, 'pieces'))
  database = await openDuckDB({ memoryLimit: '600MB', spillFolder: folder, timezone: 'UTC' })
})
afterEach(async () => {
  await database[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

it('unloads under the declared names, timestamps as text', () => {
  expect(unloadSql(TABLE, '@meta.staged_files/some/')).toBe(
    'copy into @meta.staged_files/some/ from (select course_key as "course_key", "ROWS" as "rows", score as "score", ' +
      'cast(seen_at as varchar) as "seen_at", payload as "payload", attributes as "attributes" from core.some) ' +
      'file_format = (type = parquet) header = true max_file_size = 250000000',
  )
})

it('joins pieces of whatever types to one of those that are declared', async () => {
  const pieces = join(folder, 'pieces')
  const [target, json] = [join(folder, 'some.parquet'), '{"digits":1.50}']
  for (const [name, row] of [
    [
      'a',
      `8070450532247928832::decimal(38, 0), 1::tinyint, 0.1, '2026-01-02 03:04:05.123456000', '${json}', '${json}'`,
    ],
    ['b', 'null, null, null, null, null, null'],
  ] as const)
    await database.connection.run(
      `copy (select * from (values (${row})) t("${Object.keys(TYPES).join('", "')}"))
       to ${quoteText(join(pieces, `${name}.parquet`))} (format parquet)`,
    )
  expect(await joinPieces(pieces, TABLE, target)).toBe(2)
  expect(readdirSync(folder)).toEqual(['some.parquet'])
  expect(await rowsOf([target])).toBe(2)
  const rows = `read_parquet(${quoteText(target)})`
  const described = await readRows<{ column_type: string }>(
    database.connection,
    `select column_type from (describe from ${rows})`,
  )
  expect(described.map(({ column_type }) => column_type)).toEqual([
    ...['BIGINT', 'INTEGER', 'DOUBLE', 'TIMESTAMP', 'VARCHAR', 'VARCHAR'],
  ])
  const told = `select columns(*)::varchar from ${rows} order by course_key nulls last limit 1`
  expect(Object.values((await readRows<Record<string, string>>(database.connection, told))[0] ?? {})).toEqual(
    [...['8070450532247928832', '1', '0.1', '2026-01-02 03:04:05.123456', json, json]],
  )
})
