/** The same files, read here and on Spark, give the same rows of every table: staging, raw and rejects, pseudonyms and keys. */

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openDuckDB, quoteText, readRows } from '../../../src/duckdb.ts'
import { openSparkLines, type SparkLines } from '../../../src/engines/spark/lines.ts'
import { addressOf } from '../../../src/engines/spark/local-server.ts'
import { recogniseFile, type StagedFile, stageFile } from '../../../src/sources/files.ts'
import { testKey } from '../../../src/sources/stage.test-support.ts'
import { packageRoot } from '../../../src/sql-files.ts'
import { describeWithSpark, sharedServer } from './shared-spark.ts'

const { signal } = new AbortController()

describeWithSpark('files that are read on Spark', () => {
  let folder: string
  let lines: SparkLines
  let loads = 0
  /** Records of the last file that were not read on Spark. */
  let odd = 0

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'lpa-spark-load-'))
    const server = sharedServer()
    lines = await openSparkLines({ address: addressOf(server), token: server.token, signal })
  })
  afterAll(async () => {
    await lines[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  const campus = (name: string) => {
    const path = join(packageRoot(), 'fixtures', name)
    return existsSync(path) ? readFileSync(path) : gunzipSync(readFileSync(`${path}.gz`))
  }

  async function staged(file: string, mapping: string | undefined, onSpark: boolean): Promise<StagedFile[]> {
    const scratch = join(folder, onSpark ? 'spark' : 'here')
    mkdirSync(scratch, { recursive: true })
    const request = {
      ...{ mappings: mapping === undefined ? [] : [mapping], source: 'test', idSpace: 'test', key: testKey },
      ...{ timezone: 'UTC', memoryLimit: '300MB', scratch, signal },
      nextLoadId: async () => ++loads,
      ...(onSpark && {
        spark: {
          write: lines.write,
          onOdd: (_: string, count: number) => {
            odd = count
          },
        },
      }),
    }
    return stageFile(await recogniseFile(file, request), request)
  }

  /** Every row of every file that was staged, but for what differs from load to load. */
  async function rowsOf(files: readonly StagedFile[]): Promise<Record<string, unknown[]>> {
    await using database = await openDuckDB({ memoryLimit: '300MB', spillFolder: '', timezone: 'UTC' })
    const tables: Record<string, unknown[]> = {}
    for (const { batch } of files)
      for (const { table, path } of batch.files) {
        const rows = await readRows<Record<string, unknown>>(
          database.connection,
          `select columns(c -> c not in ('load_id', 'received_at', 'effective_at'))::varchar from read_parquet(${quoteText(path)})`,
        )
        tables[table] = rows.map((row) => JSON.stringify(row)).sort()
      }
    return tables
  }

  async function expectSame(content: string | Buffer, name: string, mapping?: string): Promise<void> {
    odd = 0
    const file = join(folder, name)
    writeFileSync(file, content)
    const [here, there] = [await staged(file, mapping, false), await staged(file, mapping, true)]
    expect(await rowsOf(there)).toEqual(await rowsOf(here))
    expect(there.map(summary)).toEqual(here.map(summary))
  }

  const summary = ({ batch, reasons, leftOut }: StagedFile) => {
    const { counts, contentSha256, bytes, entities } = batch.load
    return { counts, contentSha256, bytes, entities, reasons, leftOut }
  }

  test.each([
    ['campus/events.ndjson', 30],
    ['campus/xapi-statements.ndjson', 30],
    ['campus/learners.csv', 30],
    ['campus/enrollments.csv', 30],
    ['campus/completions.csv', 30],
    ['campus/categories.csv', 10],
    ['campus/instructors.csv', 10],
    ['moodle/logstore.csv', 1000],
  ])('%s', async (name, most) => {
    await expectSame(campus(name), name.replace('/', '-'))
    console.log(name, odd)
    expect(odd).toBeLessThan(most)
  })
})
