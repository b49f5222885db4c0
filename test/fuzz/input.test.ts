/**
 * Random files through the whole front end, good ones and what became of them: each is refused with its reason, or
 * every record of it is mapped, rejected, filtered or a double, and there are as many rows of each as is told.
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDuckDB, quoteText, readRows } from '../../src/duckdb.ts'
import type { StagedFile } from '../../src/sources/files.ts'
import { counterFor, type TextFormat } from '../../src/sources/measure.ts'
import { StageFolder } from '../../src/sources/stage.test-support.ts'
import { changed, changes, expectTold, LIMIT_MS, tryCases, wild } from './cases.ts'

const folder = new StageFolder()
afterAll(() => folder[Symbol.dispose]())

const MAPPING = `-- entity: course
-- columns: id, title, kept json, number number
-- personal: learner(learner)
-- not-personal: id, title, number
-- nulls: -
select id as course_id, title as course_title, number as duration_hours, kept as attributes from source where id <> 'skip'`

let files = 0
/** What was staged of a text, or nothing when it was refused as it should be. */
async function stagedOrTold(
  extension: string,
  content: Buffer,
  mapping = MAPPING,
): Promise<StagedFile | undefined> {
  files += 1
  try {
    return await folder.stage(`fuzz-${files}.${extension}`, content, mapping)
  } catch (error) {
    expectTold(error)
    return undefined
  }
}

async function expectNothingLost(staged: StagedFile): Promise<void> {
  const { counts, entities } = staged.batch.load
  const { read, mapped, rejected, filtered, doubled } = counts
  expect(mapped + rejected + filtered + doubled).toBe(read)
  await using database = await openDuckDB({ memoryLimit: '300MB', spillFolder: '', timezone: 'UTC' })
  const rows = async (start: string) => {
    const file = staged.batch.files.find(({ table }) => table.startsWith(start))
    if (!file) return 0
    const [row] = await readRows<{ n: bigint }>(
      database.connection,
      `select count(*) as n from read_parquet(${quoteText(file.path)})`,
    )
    return Number(row?.n)
  }
  expect(await rows('staging.')).toBe(entities.course ?? 0)
  expect(await rows('raw.rejected_rows')).toBe(rejected)
}

// ── counting ──────────────────────────────────────────────────────────────────────────────────────────────

const lineEnd = fc.constantFrom('\n', '\r\n')
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array)),
  fc
    .array(fc.constantFrom('"', ',', '\n', '\r', '\r\n', 'a', '""', ' ', '[', ']', '{"a":1}', '\\', 'é'), {
      maxLength: 30,
    })
    .map((parts) => Buffer.from(parts.join(''))),
)

test(
  'records are counted alike in chunks of any size',
  async () => {
    const cases = fc.record({
      format: fc.constantFrom<TextFormat>('csv', 'ndjson', 'json'),
      bytes,
      chunk: fc.integer({ min: 1, max: 9 }),
    })
    await tryCases(1500, cases, ({ format, bytes: text, chunk }) => {
      const counted = (size: number) => {
        const counter = counterFor(format, ',', true)
        for (let at = 0; at < text.length; at += size) counter.push(text.subarray(at, at + size))
        const { lineOf, recordAt, ...rest } = counter.end()
        return { ...rest, lines: Array.from({ length: rest.records }, (_, index) => lineOf(index + 1)) }
      }
      expect(counted(chunk)).toEqual(counted(text.length || 1))
      if (format === 'ndjson' && !text.includes('\r')) {
        const lines = text
          .toString('latin1')
          .split('\n')
          .filter((line) => /[^ \t\v\f\r]/.test(line))
        expect(counted(chunk).records).toBe(lines.length)
      }
    })
  },
  LIMIT_MS,
)

// ── CSV ───────────────────────────────────────────────────────────────────────────────────────────────────

const field = fc.oneof(wild, fc.constantFrom('1', '2.5', '-', 'skip', 'C1', '{"a":1}', '2026-01-01'))
const csv = fc
  .record({
    rows: fc.array(fc.tuple(field, field, field, field, field), { maxLength: 12 }),
    end: lineEnd,
    isQuoted: fc.boolean(),
  })
  .map(({ rows, end, isQuoted }) => {
    const cell = (text: string) =>
      isQuoted || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
    const lines = [['id', 'title', 'kept', 'number', 'learner'], ...rows].map(
      (row) => row.map(cell).join(',') + end,
    )
    return { rows: rows.length, text: Buffer.from(lines.join('')) }
  })

test(
  'CSV',
  async () => {
    let staged = 0
    await tryCases(30, fc.tuple(csv, changes), async ([{ rows, text }, more]) => {
      const file = await stagedOrTold('csv', changed(text, more))
      if (!file) return
      staged += 1
      await expectNothingLost(file)
      if (more.length === 0) expect(file.batch.load.counts.read).toBe(rows)
    })
    expect(staged).toBeGreaterThan(2)
  },
  LIMIT_MS,
)

// ── JSON ──────────────────────────────────────────────────────────────────────────────────────────────────

const json = fc
  .array(
    fc.record(
      {
        id: fc.oneof(field, fc.jsonValue()),
        title: fc.oneof(field, fc.jsonValue()),
        kept: fc.jsonValue(),
        number: fc.oneof(fc.double(), field),
        learner: fc.oneof(field, fc.jsonValue()),
      },
      { requiredKeys: [] },
    ),
    { maxLength: 12 },
  )
  .map((records) => records.map((record) => JSON.stringify(record)))

test(
  'JSON',
  async () => {
    let staged = 0
    const forms = fc.constantFrom('lines', 'array' as const)
    await tryCases(30, fc.tuple(json, forms, changes), async ([records, form, more]) => {
      const text =
        form === 'lines' ? records.map((record) => `${record}\n`).join('') : `[${records.join(',\n')}]`
      const file = await stagedOrTold(form === 'lines' ? 'ndjson' : 'json', changed(Buffer.from(text), more))
      if (!file) return
      staged += 1
      await expectNothingLost(file)
      if (more.length === 0) expect(file.batch.load.counts.read).toBe(records.length)
    })
    expect(staged).toBeGreaterThan(2)
  },
  LIMIT_MS,
)

// ── Parquet ───────────────────────────────────────────────────────────────────────────────────────────────

const parquet: Buffer[] = []
beforeAll(async () => {
  await using database = await openDuckDB({ memoryLimit: '300MB', spillFolder: '', timezone: 'UTC' })
  for (const [index, codec] of ['uncompressed', 'snappy', 'zstd', 'gzip'].entries()) {
    const path = join(folder.path, `whole-${index}.parquet`)
    await database.connection.run(
      `copy (select 'C' || i as id, 'title ' || i % 3 as title, {'a': i, 'b': [i]} as kept, i / 2 as number, 'S' || i as learner
       from range(50) t(i)) to ${quoteText(path)} (format parquet, compression ${codec})`,
    )
    parquet.push(readFileSync(path))
  }
})

test(
  'Parquet',
  async () => {
    let staged = 0
    await tryCases(40, fc.tuple(fc.nat(3), changes), async ([which, more]) => {
      const file = await stagedOrTold('parquet', changed(parquet[which] as Buffer, more))
      if (!file) return
      staged += 1
      await expectNothingLost(file)
      if (more.length === 0) expect(file.batch.load.counts.read).toBe(50)
    })
    expect(staged).toBeGreaterThan(5)
  },
  LIMIT_MS,
)
