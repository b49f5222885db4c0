import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Column, ColumnType, ResultStream, Row } from '../types.ts'
import { writeParquet } from './parquet.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-parquet-test-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function streamOf(types: readonly ColumnType[], ...chunks: readonly (readonly Row[])[]): ResultStream {
  const columns: Column[] = types.map((type, index) => ({ name: `${type} "${index}`, type }))
  return {
    columns,
    chunks: (async function* () {
      yield* chunks
    })(),
  }
}

/** Written by DuckDB, read by others: the rows, and the logical type of each column. */
async function written(stream: ResultStream) {
  const path = join(folder, 'a.parquet')
  await writeParquet(stream, path)
  const file = await asyncBufferFromFile(path)
  const { schema } = await parquetMetadataAsync(file)
  const rows = await parquetReadObjects({ file, compressors })
  return { rows: rows.map((row) => Object.values(row)), columns: schema.slice(1) }
}

test('every type, with nulls, over several chunks', async () => {
  const types: ColumnType[] = ['text', 'integer', 'decimal', 'double', 'boolean', 'date', 'timestamp', 'json']
  const first: Row = [
    "ü'\n\u0000x",
    9007199254740993n,
    '-49.90',
    0.1,
    true,
    '1969-12-31',
    '2026-01-12T08:13:22.123456Z',
    '{"a":[1]}',
  ]
  const last: Row = [
    '',
    -1,
    '0.00',
    Number.NEGATIVE_INFINITY,
    false,
    '2026-01-12',
    '9999-12-31T00:00:00Z',
    '"x"',
  ]
  const { rows, columns } = await written(streamOf(types, [first, types.map(() => null)], [], [last]))
  expect(columns.map(({ name }) => name)).toEqual(types.map((type, index) => `${type} "${index}`))
  expect(columns.map((column) => column.logical_type?.type ?? column.converted_type ?? column.type)).toEqual([
    'UTF8',
    expect.stringMatching(/^INT/),
    'DECIMAL',
    'DOUBLE',
    'BOOLEAN',
    'DATE',
    'TIMESTAMP',
    'JSON',
  ])
  expect(rows).toEqual([
    [
      "ü'\n\u0000x",
      9007199254740993n,
      -49.9,
      0.1,
      true,
      new Date('1969-12-31'),
      new Date('2026-01-12T08:13:22.123Z'),
      { a: [1] },
    ],
    types.map(() => null),
    ['', -1n, 0, Number.NEGATIVE_INFINITY, false, new Date('2026-01-12'), new Date('9999-12-31'), 'x'],
  ])
})

test('decimals keep their digits, many before the point or many behind it', async () => {
  const { columns } = await written(
    streamOf(
      ['decimal', 'decimal', 'decimal'],
      [
        ['99999999999999999999999999999999999.5', '0.3333333333333333333333333333333', null],
        ['-1.0', null, null],
      ],
    ),
  )
  expect(columns.map(({ precision, scale }) => [precision, scale])).toEqual([
    [38, 1],
    [38, 31],
    [38, 0],
  ])
})

test('no rows are a file with its columns', async () => {
  const { rows, columns } = await written(streamOf(['integer', 'decimal']))
  expect([rows, columns.length]).toEqual([[], 2])
})

test('what no column holds is an error and no file, and nothing is left behind', async () => {
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith('lpa-parquet-')).length
  const path = join(folder, 'a.parquet')
  await expect(writeParquet(streamOf(['integer'], [[10n ** 20n]]), path)).rejects.toThrow(/INT64/)
  expect(readdirSync(folder)).toEqual([])
  expect(readdirSync(tmpdir()).filter((name) => name.startsWith('lpa-parquet-')).length).toBe(before)
})
