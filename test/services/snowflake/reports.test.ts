/** Reports on Snowflake that the other tests cannot ask: those of what only Snowflake has, and all of them with `--at`. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Config } from '../../../src/config.ts'
import { asOf } from '../../../src/engines/snowflake/time-travel.ts'
import { positional } from '../../../src/engines/snowflake/values.ts'
import { readDeclared } from '../../../src/pipeline/declared.ts'
import { questionOf } from '../../../src/pipeline/question.ts'
import { ask, type Question, reportQuestion, runReport } from '../../../src/pipeline/report.ts'
import { withWarehouse } from '../../../src/pipeline/warehouse.ts'
import { listSql, packageRoot } from '../../../src/sql-files.ts'
import type { Engine, Row } from '../../../src/types.ts'
import { TryWarehouse } from '../../try-warehouse.ts'
import { OFFSETS } from '../same-cells.ts'
import { EmulatorDatabase } from './database.ts'
import { DriverSession } from './driver.ts'
import { describeLpaOnSnowflake, LpaPlace } from './lpa-place.ts'
import { describeWithSnowflake } from './shared-emulator.ts'
import { parseSnowflake } from './sqlfluff.ts'

const METRICS = { metrics: { atRiskDays: 7, sessionGapMinutes: 30 } } as Config
const SNOWFLAKE = { dialect: 'snowflake' } as const
/** A table of ours without a time behind it. */
const NOW = /\b(?:from|join)\s+(?:\w+\.)?(?:fact|dim|agg|stg)_\w+(?!\w| at \()/

const question = (name: string) => reportQuestion(name, {}, SNOWFLAKE, METRICS)
const { tables } = readDeclared('snowflake')

/** Those that sqlfluff does not take, and why. It knows no `?`: values stand there as they would be written. */
async function wrongOf(asked: readonly Question[]) {
  const statements = asked.map(({ sql, values }) => {
    const parts = positional(sql, values).text.split('?')
    expect(sql).not.toContain('?')
    return parts.join("'2026'")
  })
  return (await parseSnowflake(statements)).filter(({ error }) => error !== null)
}

describeWithSnowflake('reports on Snowflake', (snowflake) => {
  let warehouse: TryWarehouse
  let database: EmulatorDatabase
  const signal = new AbortController().signal
  const home = mkdtempSync(join(tmpdir(), 'lpa-home-'))
  beforeAll(async () => {
    database = await EmulatorDatabase.create(snowflake)
    vi.stubEnv('SNOWFLAKE_HOME', database.connectionsToml(home, 'dev'))
    warehouse = await TryWarehouse.create('[warehouse]\nengine = "snowflake"\nconnection = "dev"\n')
    await warehouse.load(join(packageRoot(), 'fixtures/campus'))
    await warehouse.build()
  })
  afterAll(() => {
    vi.unstubAllEnvs()
    warehouse?.[Symbol.dispose]()
    rmSync(home, { recursive: true, force: true })
  })
  afterEach(() => database.clearFaults())

  async function answer(name: string, at?: string): Promise<readonly Row[]> {
    const question = await questionOf({ report: name }, warehouse.config)
    return ask(warehouse.config, question, { at, write: false, exports: false }, signal, async ({ rows }) => {
      if ('rows' in rows) return rows.rows
      const all: Row[] = []
      for await (const chunk of rows.chunks) all.push(...chunk)
      return all
    })
  }

  // One parse of each: sqlfluff takes a second for a long one. What is well-formed with a time is so without.
  test('are well-formed, with and without a time', async () => {
    const own = listSql('snowflake').map(question)
    const then = listSql('reports')
      .map(question)
      .map((one) => ({ ...one, sql: asOf(one.sql, { time: '2026-06-01T08:00:00.000+00' }, tables) }))
    expect(await wrongOf([...own, ...then])).toEqual([])
  })

  test('what Snowflake says of itself becomes a result', async () => {
    const told = { cluster_by_keys: 'LINEAR(date_key, course_key)', total_partition_count: 12 }
    await database.fault({
      kind: 'rows',
      match: 'system\\$clustering_information',
      columns: [
        ['TABLE_NAME', 'VARCHAR'],
        ['PARTITIONS', 'BIGINT'],
        ['DEPTHS', 'JSON'],
      ],
      rows: [['core.agg_course_day', '12', JSON.stringify(told)]],
    })
    expect(await answer('clustering')).toEqual([['core.agg_course_day', 12, JSON.stringify(told)]])
  })

  describe('--at', () => {
    const AT = '2026-06-01T08:00:00Z'

    // The emulator takes the time out: what is left must still be the same question.
    test('every report answers the same rows, of tables as they were', async () => {
      const both = (work: (now: Engine, then: Engine) => Promise<void>) =>
        withWarehouse(config, 'confined', signal, (now) =>
          withWarehouse(config, 'confined', signal, (then) => work(now, then), {
            at: { time: AT.replace('Z', '.000+00') },
          }),
        )
      const { config } = warehouse
      await both(async (now, then) => {
        for (const name of listSql('reports')) {
          const rows = await runReport(now, config, name)
          await database.forgetStatements()
          expect(await runReport(then, config, name), name).toEqual(rows)
          const [asked] = await database.statements()
          expect(asked?.sql, name).toContain(' at (timestamp => ')
          expect(asked?.sql.match(NOW), name).toBeNull()
        }
      })
    })

    test('of a time that is not kept tells which are', async () => {
      await database.fault({
        kind: 'answer',
        match: 'select .* at \\(timestamp',
        code: '000707',
        sqlState: '02000',
        message:
          'Time travel data is not available for table FACT_ENROLLMENT. The requested time is too early.',
      })
      const types = ['BIGINT', 'BIGINT', 'BIGINT', 'TIMESTAMP', 'TIMESTAMP'] as const
      await database.fault({
        kind: 'rows',
        match: 'retention_time',
        columns: types.map((type, index) => [`C${index}`, type]),
        rows: [[null, null, null, '1780387200.000000000', '1780473600.000000000']],
      })
      await expect(answer('enrollments', AT)).rejects.toMatchObject({
        code: 'LPA-QUERY-AT',
        exit: 'usage',
        message: 'Snowflake keeps no state of that time of FACT_ENROLLMENT.',
        next: [
          'There are states of 2026-06-02T08:00:00Z to 2026-06-03T08:00:00Z.',
          expect.stringContaining('data_retention_time_in_days'),
        ],
      })
      await expect(answer('enrollments', '12')).rejects.toMatchObject({
        code: 'LPA-QUERY-AT',
        message: expect.stringContaining('by time, not by number'),
        next: [expect.stringContaining('There are states of 2'), expect.stringContaining('--at 2026-')],
      })
    })
  })

  test('a dropped table can come back, before schema apply makes it anew', async () => {
    await using session = await DriverSession.signIn(database)
    const options = { write: false, exports: false }
    const own = (sql: string) => ask(warehouse.config, { sql, values: {} }, options, signal, async () => {})
    await expect(own('select * from core.no_such_table')).rejects.toMatchObject({ code: 'LPA-QUERY-SQL' })
    await session.query('drop table core.dim_course')
    await expect(own('select * from core.dim_course')).rejects.toMatchObject({ code: 'LPA-SCHEMA-OLD' })
    await expect(answer('course-table')).rejects.toMatchObject({
      code: 'LPA-SCHEMA-OLD',
      next: [
        expect.stringContaining('undrop table core.dim_course'),
        expect.stringContaining('schema plan'),
        expect.stringContaining('schema apply'),
      ],
    })
  })
})

// The emulator has none of what they ask: on a real account, this is where they run at last.
if (process.env.LPA_SNOWFLAKE_LIVE)
  describeLpaOnSnowflake('what only a real account answers', () => {
    let place: LpaPlace
    beforeAll(async () => {
      place = await LpaPlace.create()
      const campus = join(packageRoot(), 'fixtures/campus')
      for (const args of [['schema', 'apply'], ['load', campus], ['batch']]) await place.lpaOk(args)
    })
    afterAll(() => place?.[Symbol.asyncDispose]())

    test('--at answers of then, every report what it said', async () => {
      await sleep(2000)
      const at = await place.value(`select to_varchar(sysdate(), 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`)
      const then = ['--at', String(at), '--json', '--quiet']
      for (const name of listSql('reports')) {
        const { stdout } = await place.lpaOk(['query', name, ...then])
        expect([name, stdout]).toEqual([
          name,
          (await place.lpaOk(['query', name, '--json', '--quiet'])).stdout,
        ])
      }
      await sleep(2000)
      await place.sql(OFFSETS)
      const count = ['query', '--sql', 'select count(*) as rows_of from meta.stream_offsets']
      expect(await place.json(count)).toMatchObject([{ rows_of: 2 }])
      const { stdout } = await place.lpaOk([...count, ...then])
      expect(JSON.parse(stdout)).toMatchObject([{ rows_of: 0 }])
    }, 600_000)

    test('a dropped table comes back as the error says', async () => {
      const asked = ['query', 'course-table', '--json', '--quiet']
      const { stdout } = await place.lpaOk(asked)
      await place.sql('drop table core.dim_course')
      const { stderr } = await place.lpa(asked)
      expect(stderr).toContain('undrop table core.dim_course')
      await place.sql('undrop table core.dim_course')
      expect((await place.lpaOk(asked)).stdout).toBe(stdout)
    })

    // The tables of `pruning` are 45 minutes behind: here it only has to be permitted.
    test.each(['clustering', 'search-optimization', 'costs', 'statements', 'pruning'])('%s', async (name) => {
      const { stdout } = await place.lpaOk(['query', name, '--format', 'json'])
      if (name !== 'pruning') expect(JSON.parse(stdout).length).toBeGreaterThan(0)
    })

    test('query-profile of the last report', async () => {
      await place.lpaOk(['query', 'funnel'])
      const { stdout } = await place.lpaOk([
        'query',
        'statements',
        '--param',
        'text=fact_enrollment',
        '--format',
        'json',
      ])
      const { query_id: id } = JSON.parse(stdout)[0]
      const profile = await place.lpaOk([
        'query',
        'query-profile',
        '--param',
        `query=${id}`,
        '--format',
        'json',
      ])
      expect(JSON.parse(profile.stdout).length).toBeGreaterThan(0)
    })
  })
