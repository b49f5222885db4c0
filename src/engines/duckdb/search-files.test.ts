import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDuckDB } from '../../duckdb.ts'
import { searchFiles } from './search-files.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-search-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('a Parquet file that is not whole, or holds sealed records, may hold somebody while it is there', async () => {
  await using database = await openDuckDB({ memoryLimit: '100MB', spillFolder: '', timezone: 'UTC' })
  const { connection } = database
  const rows = join(folder, 'streams', 's', 'rows')
  mkdirSync(rows, { recursive: true })
  await connection.run(`copy (select 'nobody' as learner_id) to '${rows}/whole.parquet' (format parquet)`)
  for (const sealed of ['null', "'\\x01'"])
    await connection.run(
      `copy (select cast(${sealed} as blob) as lpa_sealed) to '${rows}/sealed-${sealed.length}.parquet' (format parquet)`,
    )
  for (const name of ['empty', 'torn', 'vanishing'])
    writeFileSync(join(rows, `${name}.parquet`), name === 'empty' ? '' : 'PAR1, and no end')
  mkdirSync(join(folder, 'tmp', 'load-7-1'), { recursive: true })
  writeFileSync(join(folder, 'tmp', 'load-7-1', 'staging.parquet'), 'PAR1, and more to come')
  const search = searchFiles(connection, folder, ['a'.repeat(64)])
  rmSync(join(rows, 'vanishing.parquet'))
  expect(await search).toMatchObject({
    files: 7,
    found: ['empty', 'sealed-6', 'torn'].map((name) => `streams/s/rows/${name}.parquet`),
  })
})
