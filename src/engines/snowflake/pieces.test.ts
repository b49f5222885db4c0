import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openDuckDB, quoteText, readNumber } from '../../duckdb.ts'
import { piecesOf } from './pieces.ts'

const folder = mkdtempSync(join(tmpdir(), 'lpa-pieces-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('a file is cut where it is too large, with all its rows, and else left as it is', async () => {
  await using database = await openDuckDB({ memoryLimit: '600MB', spillFolder: folder, timezone: 'UTC' })
  const { connection } = database
  const file = join(folder, 'load_000001_events.parquet')
  await connection.run(
    `copy (select range as id, sha256(range::varchar) as text from range(500000)) to ${quoteText(file)} (format parquet)`,
  )
  expect(await piecesOf(file, statSync(file).size)).toEqual([file])
  const pieces = await piecesOf(file, 4_000_000, 4_000_000)
  expect(pieces.length).toBeGreaterThan(2)
  expect(existsSync(file)).toBe(false)
  const list = pieces.map(quoteText).join(', ')
  expect(await readNumber(connection, `select count(distinct id) from read_parquet([${list}])`)).toBe(500_000)
  expect(await readNumber(connection, `select count(*) from read_parquet([${list}])`)).toBe(500_000)
})
