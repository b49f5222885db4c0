/**
 * The same loads, built on Spark and by the embedded engine, give the same cells of every table of core, after full and
 * incremental batches and after loads that replace others; and every report says the same on both.
 */

import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Config, loadConfig } from '../../../src/config.ts'
import type { SparkReader } from '../../../src/engines/spark/reader.ts'
import { withSparkReports } from '../../../src/pipeline/spark.ts'
import { withWarehouse } from '../../../src/pipeline/warehouse.ts'
import { createKey } from '../../../src/pseudonym.ts'
import type { Engine } from '../../../src/types.ts'
import { isFull, lpaOk, newPlace, type Place, type Ran, removePlaces } from '../../faults/lpa.ts'
import {
  coreFiles,
  coreRows,
  doubledEvents,
  ELSEWHERE,
  expectSameFiles,
  expectSameTables,
  expectSameTexts,
  expectTelling,
  narrowedTexts,
  OFFSETS,
  reportTexts,
} from '../same-cells.ts'
import { describeWithSpark } from './shared-spark.ts'

const CAMPUS = fileURLToPath(new URL('../../../fixtures/campus', import.meta.url))
const EVENTS = isFull ? 1_000_000 : 100_000
const LIMIT_MS = isFull ? 5_400_000 : 600_000
const { signal } = new AbortController()

describeWithSpark('both engines', ({ state }) => {
  let embedded: Place
  let spark: Place

  /** Two folders with the same key and no loads. */
  async function create(settings = ''): Promise<void> {
    embedded = newPlace('embedded')
    createKey(join(embedded.root, 'pseudonym.key'))
    writeFileSync(join(embedded.root, 'lpa.toml'), settings)
    spark = newPlace('spark')
    cpSync(embedded.root, spark.root, { recursive: true })
    await both(['schema', 'apply', '--quiet'])
  }

  const onSpark = (args: readonly string[]): Promise<Ran> =>
    lpaOk(spark, args, { env: { XDG_STATE_HOME: state } })

  /** The same command in both folders; answers what each printed. */
  async function both(args: readonly string[]): Promise<readonly [string, string]> {
    const [here, there] = await Promise.all([lpaOk(embedded, args), onSpark(args)])
    return [here.stdout, there.stdout]
  }

  async function batch(...flags: string[]): Promise<void> {
    const kinds = await Promise.all(
      [
        lpaOk(embedded, ['batch', '--json', ...flags]),
        onSpark(['batch', '--json', '--engine', 'spark', ...flags]),
      ].map(async (ran) =>
        JSON.parse((await ran).stdout).map(({ table, rows }: { table: string; rows: number }) => [
          table,
          rows,
        ]),
      ),
    )
    expect(kinds[1]).toEqual(kinds[0])
  }

  function configOf({ root }: Place): Config {
    const { LPA_EXTENSIONS } = process.env
    return loadConfig({ cwd: root, env: { LPA_EXTENSIONS } })
  }

  const read = <T>(place: Place, work: (engine: Engine) => Promise<T>) =>
    withWarehouse(configOf(place), 'read', signal, work)

  const readOnSpark = <T>(work: (reader: SparkReader, engine: Engine) => Promise<T>) =>
    read(spark, (engine) =>
      withSparkReports(configOf(spark), engine, signal, (reader) => work(reader, engine)),
    )

  async function expectSame(): Promise<void> {
    const [here, there] = [await read(embedded, coreRows), await read(spark, coreRows)]
    expect(here['core.fact_learning_event']?.length).toBeGreaterThan(0)
    expectSameTables(here, there)
  }

  /** The same, of any number of rows. */
  async function expectSameCells(): Promise<void> {
    const folders = [embedded, spark].map(({ root }) => join(root, 'core'))
    const [here = '', there = ''] = folders
    const facts = await read(embedded, async (engine) => {
      await coreFiles(engine, here)
      return (await engine.query('select count(*) from core.fact_learning_event')).rows[0]?.[0]
    })
    expect(facts).toBeGreaterThan(0.5 * EVENTS)
    await read(spark, (engine) => coreFiles(engine, there))
    await expectSameFiles(here, there)
  }

  /** Of the embedded engine and of Spark, over one warehouse. */
  async function texts(of: typeof reportTexts) {
    const config = configOf(spark)
    return readOnSpark(
      async (reader, engine) => [await of(engine, config), await of(reader, config)] as const,
    )
  }

  /** What Spark reads of the tables of core. */
  async function expectSameReading(): Promise<void> {
    await readOnSpark(async (reader, engine) =>
      expectSameTables(await coreRows(engine), await coreRows(reader)),
    )
  }

  describe('with the campus', () => {
    const load = (...args: string[]) => both(['load', '--quiet', '--source', 'lms', ...args])
    beforeAll(async () => {
      await create(ELSEWHERE)
      for (const { root } of [embedded, spark]) cpSync(CAMPUS, join(root, 'exports'), { recursive: true })
    })
    afterAll(removePlaces)

    test('after the first batch', async () => {
      const first = readdirSync(CAMPUS).filter((name) => !/^(completions|xapi)/.test(name))
      await load(...first.map((name) => `exports/${name}`))
      await batch()
      await expectSame()
    })

    test('after an incremental batch', async () => {
      await load('exports')
      await batch()
      await expectSame()
    })

    test('after another source, and newer snapshots in the place of older ones', async () => {
      for (const { root } of [embedded, spark]) writeFileSync(join(root, 'again.ndjson'), doubledEvents())
      await both(['load', '--quiet', 'elsewhere'])
      for (const file of ['instructors.csv', 'categories.csv']) {
        for (const { root } of [embedded, spark]) {
          const path = join(root, 'exports', file)
          const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
          writeFileSync(path, `${lines.slice(0, -1).join('\n')}\n`)
        }
        await load(`exports/${file}`)
      }
      await batch()
      await expectSame()
    })

    test('with models made anew by name', async () => {
      await batch('--select', 'dim_course', '--select', 'agg_course_day')
      await expectSame()
    })

    test('whichever engine built before', async () => {
      const there = await read(spark, coreRows)
      await lpaOk(spark, ['batch', '--full', '--quiet'])
      expectSameTables(await read(spark, coreRows), there)
      await onSpark(['batch', '--full', '--quiet', '--engine', 'spark'])
      expectSameTables(await read(spark, coreRows), there)
    })

    test('in every report, with each of its parameters', async () => {
      await lpaOk(spark, ['query', '--quiet', '--write', '--sql', OFFSETS])
      const [narrowed, other] = await texts(narrowedTexts)
      expectSameTexts(narrowed, other)
      const plain = await read(spark, (engine) => reportTexts(engine, configOf(spark)))
      expectTelling(plain, narrowed)
    })

    test('as Spark reads them', expectSameReading)

    test('of one state, whatever is built meanwhile', async () => {
      const count = async (reader: SparkReader, table: string) =>
        (await reader.query(`select count(*) from ${table}`)).rows[0]?.[0]
      await readOnSpark(async (reader) => {
        const before = await count(reader, 'core.dim_course')
        await lpaOk(spark, ['query', '--write', '--sql', 'delete from core.fact_enrollment'])
        expect(await count(reader, 'core.fact_enrollment')).toBeGreaterThan(Number(before))
      })
      expect(await readOnSpark((reader) => count(reader, 'core.fact_enrollment'))).toBe(0)
      await onSpark(['batch', '--full', '--quiet', '--engine', 'spark'])
    })

    test('and lpa query prints the same bytes', async () => {
      const { stdout } = await onSpark(['query', 'drop-off', '--json'])
      expect((await onSpark(['query', 'drop-off', '--json', '--engine', 'spark'])).stdout).toBe(stdout)
    })
  })

  describe('where attributes are VARIANT', () => {
    beforeAll(async () => {
      await create('[warehouse]\nattributes = "variant"\n')
      for (const { root } of [embedded, spark]) cpSync(CAMPUS, join(root, 'exports'), { recursive: true })
    })
    afterAll(removePlaces)

    test('after a full and an incremental batch', async () => {
      await both(['load', '--quiet', 'exports/courses.json', 'exports/learners.csv'])
      await batch('--full')
      await both(['load', '--quiet', 'exports'])
      await batch()
      await expectSame()
    })
  })

  describe(`with ${EVENTS.toLocaleString('en')} generated events`, () => {
    beforeAll(async () => {
      await create()
      await both([
        'sample',
        'exports',
        '--events',
        String(EVENTS),
        '--learners',
        String(0.03 * EVENTS),
        '--quiet',
      ])
      for (const { root } of [embedded, spark]) {
        const path = join(root, 'exports', 'events.ndjson')
        const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
        const middle = Math.floor(0.6 * lines.length)
        writeFileSync(path, `${lines.slice(0, middle).join('\n')}\n`)
        writeFileSync(join(root, 'later.ndjson'), `${lines.slice(middle).join('\n')}\n`)
      }
    })
    afterAll(removePlaces)

    test(
      'after loads in two parts, a full batch and an incremental one',
      async () => {
        await both(['load', '--quiet', 'exports'])
        await batch('--full')
        await expectSameCells()
        await both(['load', '--quiet', 'later.ndjson'])
        await batch()
        await expectSameCells()
        expectSameTexts(...(await texts(reportTexts)))
        if (!isFull) await expectSameReading()
      },
      LIMIT_MS,
    )
  })
})
