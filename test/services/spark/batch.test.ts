/** lpa batch --engine spark where something goes wrong: all of it is there afterwards, or nothing. */

import { chmodSync, cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cachedSpark } from '../../../src/engines/spark/home.ts'
import { addressOf } from '../../../src/engines/spark/local-server.ts'
import { SparkTables } from '../../../src/engines/spark/tables.ts'
import { packageRoot } from '../../../src/sql-files.ts'
import { withEngine } from '../../faults/dump.ts'
import {
  copyPlace,
  initPlace,
  isFull,
  lpa,
  lpaOk,
  type Place,
  removePlaces,
  startLpa,
} from '../../faults/lpa.ts'
import { until } from '../../faults/until.ts'
import { coreRows, expectSameTables } from '../same-cells.ts'
import { executorsOf } from './executors.ts'
import { describeWithSpark, QUICK_JAVA, sharedServer } from './shared-spark.ts'

const BATCH = ['batch', '--engine', 'spark']
/** Of a Java that has done nothing yet, on a machine that does other things. */
const FIRST_TABLE_MS = isFull ? 900_000 : 150_000

describeWithSpark('a batch on Spark', ({ state }) => {
  /** Loaded, not built. */
  let loaded: Place
  let place: Place
  const env = { XDG_STATE_HOME: state }

  beforeAll(async () => {
    // Of a copy of the warehouse, too: lpa doctor looks at its modes.
    process.umask(0o077)
    loaded = await initPlace('spark')
    cpSync(join(packageRoot(), 'fixtures', 'campus'), join(loaded.root, 'exports'), { recursive: true })
    await lpaOk(loaded, ['load', '--quiet', 'exports'])
  })
  afterAll(removePlaces)

  const fresh = (name: string) => {
    place = copyPlace(loaded, name)
  }
  /** Folders of runs, as they are now. */
  const foldersOfRuns = () =>
    readdirSync(join(place.warehouse, 'tmp')).filter((name) => name.startsWith('spark-'))
  const facts = async () => {
    const sql = 'select count(*) as facts from fact_learning_event'
    return JSON.parse((await lpaOk(place, ['query', '--json', '--sql', sql])).stdout)[0].facts
  }
  /** A batch whose warehouse has taken in a table, not committed, and whose Spark writes the next one. */
  async function startedBatch(serverState = state, more: Readonly<Record<string, string>> = {}) {
    const running = startLpa(place, BATCH, { env: { XDG_STATE_HOME: serverState, ...more } })
    const written = () =>
      foldersOfRuns().flatMap((folder) => readdirSync(join(place.warehouse, 'tmp', folder)))
    await until(
      () => written().filter((name) => name !== 'copies').length >= 2,
      'the batch has written a table',
      FIRST_TABLE_MS,
    )
    return running
  }

  describe('that is killed', () => {
    test('leaves nothing of itself, and the next one builds all', async () => {
      fresh('killed')
      const { child, ended } = await startedBatch()
      child.kill('SIGKILL')
      expect((await ended).signal).toBe('SIGKILL')
      expect(await facts()).toBe(0)
      await lpaOk(place, [...BATCH, '--quiet'], { env })
      expect(await facts()).toBeGreaterThan(1000)
      expect(foldersOfRuns()).toEqual([])
      await lpaOk(place, ['doctor', '--verify', '--quiet'])
    })
  })

  // In containers, where every run may be process 1.
  test('finds nothing in its way of one that was killed under the same process id', async () => {
    fresh('same-number')
    const server = sharedServer()
    const { signal } = new AbortController()
    await withEngine(place, async (engine) => {
      const folder = join(engine.scratch, `spark-${process.pid}`, 'dim_course-1')
      mkdirSync(folder, { recursive: true })
      const options = { address: addressOf(server), token: server.token, engine, declared: [], signal }
      await using tables = await SparkTables.open(options)
      expect(join(tables.folder, 'dim_course-1')).toBe(folder)
      await tables.session.write('select 1 as n', folder)
    })
    expect(foldersOfRuns()).toEqual([])
  })

  describe('that is interrupted', () => {
    test('changes nothing', async () => {
      fresh('interrupted')
      const { child, ended } = await startedBatch()
      child.kill('SIGINT')
      expect(await ended).toMatchObject({ code: 130, stdout: '' })
      expect(await facts()).toBe(0)
      expect(foldersOfRuns()).toEqual([])
    })
  })

  test('whose Spark is killed says so and changes nothing; with another one it is done', async () => {
    fresh('serverless')
    const own = join(place.root, 'state')
    const withOwn = { env: { XDG_STATE_HOME: own } }
    try {
      const up = await lpaOk(place, ['spark', 'up', '--memory', '700m', '--json'], withOwn)
      const { ended } = await startedBatch(own)
      process.kill(JSON.parse(up.stdout).pid, 'SIGKILL')
      const ran = await ended
      expect(ran).toMatchObject({ code: 69, stdout: '' })
      expect(ran.stderr).toContain('all else is as it was')
      expect(await facts()).toBe(0)
      await lpaOk(place, [...BATCH, '--quiet'], { env })
      expect(await facts()).toBeGreaterThan(1000)
    } finally {
      await lpaOk(place, ['spark', 'down', '--quiet'], withOwn)
    }
  }, 600_000)

  // Four Java processes for minutes.
  if (isFull)
    test('of which an executor is killed ends with the same result', async () => {
      fresh('embedded')
      const embedded = place
      await lpaOk(embedded, ['batch', '--quiet'])
      fresh('cluster')
      // Workers keep what their executors say beside Spark's jars.
      const home = join(place.root, 'spark')
      mkdirSync(home)
      symlinkSync(join(cachedSpark(), 'jars'), join(home, 'jars'))
      const own = { XDG_STATE_HOME: join(place.root, 'state'), SPARK_HOME: home, ...QUICK_JAVA }
      const conf = [
        'spark.master=local-cluster[2,1,1024]',
        'spark.executor.memory=700m',
        'spark.sql.shuffle.partitions=2',
      ]
      const up = ['spark', 'up', '--json', '--memory', '1g', ...conf.flatMap((one) => ['--conf', one])]
      try {
        const server: number = JSON.parse((await lpaOk(place, up, { env: own })).stdout).pid
        const { ended } = await startedBatch(own.XDG_STATE_HOME, own)
        const [killed = 0, other] = executorsOf(server)
        expect(other).toBeGreaterThan(0)
        process.kill(killed, 'SIGKILL')
        const ran = await ended
        expect(ran.code, ran.stderr).toBe(0)
        const after = executorsOf(server)
        expect([after.length, after.includes(killed)]).toEqual([2, false])
        expectSameTables(await withEngine(embedded, coreRows), await withEngine(place, coreRows))
      } finally {
        await lpaOk(place, ['spark', 'down', '--quiet'], { env: own })
      }
    }, 1_800_000)

  describe('is refused', () => {
    beforeAll(() => fresh('refused'))
    const address = () => `sc://127.0.0.1:${sharedServer().port}`

    test('where no Spark is named and none runs', async () => {
      const ran = await lpa(place, BATCH, { env: { XDG_STATE_HOME: join(place.root, 'nothing') } })
      expect(ran).toMatchObject({ code: 78, stderr: expect.stringContaining('lpa spark up') })
    })

    test('with a token that others can read, or that is wrong', async () => {
      const file = join(place.root, 'token')
      writeFileSync(file, 'not-the-token\n')
      chmodSync(file, 0o644)
      const named = { XDG_STATE_HOME: join(place.root, 'nothing'), LPA_SPARK_TOKEN_FILE: file }
      const open = await lpa(place, [...BATCH, '--address', address()], { env: named })
      expect(open).toMatchObject({ code: 77, stderr: expect.stringContaining('can be read by others') })
      writeFileSync(join(place.root, 'token-of-mine'), 'not-the-token\n', { mode: 0o600 })
      const own = { ...named, LPA_SPARK_TOKEN_FILE: join(place.root, 'token-of-mine') }
      const wrong = await lpa(place, [...BATCH, '--address', address()], { env: own })
      expect(wrong).toMatchObject({ code: 77, stderr: expect.stringContaining('LPA-SPARK-TOKEN') })
      expect(wrong.stderr).not.toContain('not-the-token')
    })

    test('with a token in the address, or one that would go in the clear', async () => {
      const inAddress = await lpa(place, [...BATCH, '--address', 'sc://h/;token=tell-tale'], { env })
      expect(inAddress.code).toBe(78)
      expect(inAddress.stderr).not.toContain('tell-tale')
      const clear = { ...env, SPARK_CONNECT_AUTHENTICATE_TOKEN: 'some-token' }
      const ran = await lpa(place, [...BATCH, '--address', 'sc://spark.example.org'], { env: clear })
      expect(ran).toMatchObject({ code: 77, stderr: expect.stringContaining('LPA-SPARK-CLEAR') })
    })

    test('and nothing was changed by any of these', async () => {
      expect(await facts()).toBe(0)
    })
  })

  test('takes the token from the environment', async () => {
    fresh('by-environment')
    const { port, token } = sharedServer()
    const named = {
      XDG_STATE_HOME: join(place.root, 'nothing'),
      SPARK_CONNECT_AUTHENTICATE_TOKEN: token,
      LPA_SPARK_ADDRESS: `sc://127.0.0.1:${port}`,
    }
    await lpaOk(place, [...BATCH, '--quiet'], { env: named })
    expect(await facts()).toBeGreaterThan(1000)
  })

  test('reads a folder whose name is a pattern to Spark', async () => {
    fresh('odd')
    const odd = join(place.root, 'a {b} [c]*, ü')
    mkdirSync(odd)
    cpSync(place.warehouse, join(odd, 'w'), { recursive: true })
    const there = { ...env, LPA_WAREHOUSE_PATH: join(odd, 'w') }
    await lpaOk(place, [...BATCH, '--quiet'], { env: there })
    const counted = await lpaOk(place, ['query', 'freshness', '--json'], { env: there })
    expect(JSON.parse(counted.stdout).length).toBeGreaterThan(0)
  })
})
