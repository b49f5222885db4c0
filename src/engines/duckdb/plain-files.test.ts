import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TryWarehouse } from '../../../test/try-warehouse.ts'
import { withWarehouse } from '../../pipeline/warehouse.ts'
import type { Engine, Row } from '../../types.ts'

let warehouse: TryWarehouse
const signal = new AbortController().signal
const copies = () => join(warehouse.folder, 'copies')

beforeAll(async () => {
  warehouse = await TryWarehouse.create()
  for (const part of [1, 2]) {
    const rows = Array.from({ length: 20 }, (_, row) => `c${part}-${row},Course ${row}`)
    const file = warehouse.write(`courses-${part}.csv`, `course_id,course_title\n${rows.join('\n')}\n`)
    await warehouse.load(file, { source: `lms-${part}` })
  }
})
afterAll(() => warehouse[Symbol.dispose]())

/** What the files hold, read without the catalog, and what the table holds. */
async function both(table: string): Promise<{ files: readonly string[]; there: Row[]; here: Row[] }> {
  return withWarehouse(warehouse.config, 'write', signal, (engine) =>
    engine.transaction(async () => {
      const files = (await engine.plainFiles?.(table, copies())) ?? []
      const read = `read_parquet([${files.map((file) => `'${file}'`).join(', ')}])`
      const there = files.length > 0 ? await sorted(engine, read) : []
      return { files, there, here: await sorted(engine, table) }
    }),
  )
}

async function sorted(engine: Engine, from: string): Promise<Row[]> {
  const { rows } = await engine.query(`select * from ${from} order by all`)
  return [...rows]
}

const change = (statement: string) =>
  withWarehouse(warehouse.config, 'write', signal, (engine) =>
    engine.transaction(() => engine.execute(statement)),
  )

test('whole files are read where they lie', async () => {
  const { files, there, here } = await both('staging.stg_course')
  expect(files).toHaveLength(2)
  expect(files.every((file) => file.startsWith(join(warehouse.folder, 'warehouse', 'data')))).toBe(true)
  expect(there).toEqual(here)
  expect(here).toHaveLength(40)
})

test('of a file with deleted rows the others are copied, without those of other files', async () => {
  await change("delete from staging.stg_course where course_title = 'Course 7' and source = 'lms-1'")
  const { files, there, here } = await both('staging.stg_course')
  expect(files.map((file) => basename(file))).toContain('staging.stg_course.parquet')
  expect(files).toHaveLength(2)
  expect(there).toEqual(here)
  expect(here).toHaveLength(39)
})

test('rows that are in the catalog only are copied', async () => {
  const { files, there, here } = await both('meta.loads')
  expect(files).toEqual([join(copies(), 'meta.loads.parquet')])
  expect(there).toEqual(here)
  expect(here).toHaveLength(2)
})

test('rows of a file that is gone are in none', async () => {
  await change("delete from staging.stg_course where source = 'lms-1'")
  const { there, here } = await both('staging.stg_course')
  expect(there).toEqual(here)
  expect(here).toHaveLength(20)
})

test('an empty table has no file', async () => {
  expect(await both('staging.stg_learner')).toEqual({ files: [], there: [], here: [] })
  expect(readdirSync(copies())).not.toContain('staging.stg_learner.parquet')
})
