/**
 * The same exports in both engines give the same cells: of every table of core and of every report, after full and
 * incremental batches and after loads that replace others.
 *
 * The emulator is DuckDB under Snowflake's SQL. What this proves there: that models, reports and checks are translated into
 * statements that mean the same, that values survive the way through Parquet, PUT, COPY and the driver, and that batches
 * touch what they have to. What it does not: how Snowflake itself rounds, sorts, compares texts, counts weeks and converts
 * types where DuckDB does otherwise. With LPA_SNOWFLAKE_LIVE these tests are that proof.
 */

import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listSql } from '../../../src/sql-files.ts'
import type { Engine } from '../../../src/types.ts'
import {
  coreRows,
  doubledEvents,
  ELSEWHERE,
  expectSameTables,
  expectSameTexts,
  expectTelling,
  narrowedTexts,
  OFFSETS,
  reportTexts,
  TIMES,
} from '../same-cells.ts'
import { describeLpaOnSnowflake, LpaPlace } from './lpa-place.ts'
import { wrongStatements } from './statements.ts'

const CAMPUS = fileURLToPath(new URL('../../../fixtures/campus', import.meta.url))
const EVENTS = 100_000

describeLpaOnSnowflake('both engines', () => {
  let place: LpaPlace
  const exports = () => join(place.folder.root, 'exports')

  async function create(settings = ''): Promise<void> {
    place = await LpaPlace.create(settings)
    await both(['schema', 'apply', '--quiet'])
  }

  /** The same command with either engine; answers what each printed. */
  async function both(args: readonly string[]): Promise<readonly [string, string]> {
    const [embedded, snowflake] = await Promise.all([place.embedded(args), place.lpaOk(args)])
    return [embedded.stdout, snowflake.stdout]
  }

  async function ofBoth<T>(work: (engine: Engine) => Promise<T>): Promise<readonly [T, T]> {
    return [await place.engine(work, undefined), await place.engine(work)]
  }

  async function expectSame(): Promise<void> {
    expectSameTables(...(await ofBoth(coreRows)))
  }

  const texts = (of: typeof reportTexts) =>
    ofBoth((engine) => of(engine, place.config(engine.dialect === 'snowflake' ? 'prod' : undefined)))

  describe('with the campus', () => {
    beforeAll(async () => {
      await create(ELSEWHERE)
      cpSync(CAMPUS, exports(), { recursive: true })
    })
    afterAll(() => place?.[Symbol.asyncDispose]())

    test('after the first batch', async () => {
      const first = readdirSync(exports()).filter((name) => !/^(completions|xapi)/.test(name))
      const loaded = await both([
        'load',
        '--json',
        '--source',
        'lms',
        ...first.map((name) => `exports/${name}`),
      ])
      expect(loaded[1]).toBe(loaded[0])
      await both(['batch', '--quiet'])
      await expectSame()
    })

    test('after an incremental batch', async () => {
      await both(['load', '--quiet', '--source', 'lms', 'exports'])
      await both(['batch', '--quiet'])
      await expectSame()
    })

    test('after another source, and newer snapshots in the place of older ones', async () => {
      place.write('again.ndjson', doubledEvents())
      await both(['load', '--quiet', 'elsewhere'])
      await both(['query', '--quiet', '--write', '--sql', OFFSETS])
      for (const file of ['instructors.csv', 'categories.csv']) {
        const path = join(exports(), file)
        const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
        writeFileSync(path, `${lines.slice(0, -1).join('\n')}\n`)
        const [embedded, snowflake] = await both(['load', '--json', '--source', 'lms', `exports/${file}`])
        expect(JSON.parse(snowflake)).toMatchObject([{ replaced: [expect.any(Number)] }])
        expect(snowflake).toBe(embedded)
      }
      await both(['batch', '--quiet'])
      await expectSame()
    })

    test.each(listSql('reports'))('lpa query %s --json prints the same bytes', async (report) => {
      const [embedded, snowflake] = await both(['query', report, '--json'])
      expect(snowflake.replace(TIMES, '')).toBe(embedded.replace(TIMES, ''))
    })

    test('in every report, with each of its parameters', async () => {
      const [narrowed, other] = await texts(narrowedTexts)
      expectSameTexts(narrowed, other)
      const plain = await place.engine((engine) => reportTexts(engine, place.config(undefined)), undefined)
      expectTelling(plain, narrowed)
    }, 300_000)

    test('was sent as Snowflake’s SQL', async (context) => {
      expect(await wrongStatements(place.emulated(context))).toEqual([])
    })
  })

  describe(`with ${EVENTS.toLocaleString('en')} generated events`, () => {
    beforeAll(async () => {
      await create()
      await place.embedded(['sample', 'exports', '--events', String(EVENTS), '--learners', '3000', '--quiet'])
      const path = join(exports(), 'events.ndjson')
      const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
      const middle = Math.floor(0.6 * lines.length)
      writeFileSync(path, `${lines.slice(0, middle).join('\n')}\n`)
      place.write('later.ndjson', `${lines.slice(middle).join('\n')}\n`)
    })
    afterAll(() => place?.[Symbol.asyncDispose]())

    test('after loads in two parts, a full batch and an incremental one', async () => {
      await both(['load', '--quiet', 'exports'])
      await both(['batch', '--quiet'])
      await both(['load', '--quiet', 'later.ndjson'])
      await both(['batch', '--quiet'])
      const facts = await place.value('select count(*) from core.fact_learning_event')
      expect(Number(facts)).toBeGreaterThan(0.99 * EVENTS)
      await expectSame()
      expectSameTexts(...(await texts(reportTexts)))
    }, 300_000)

    test('was sent as Snowflake’s SQL', async (context) => {
      expect(await wrongStatements(place.emulated(context))).toEqual([])
    })
  })
})
