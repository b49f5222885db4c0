/** lpa spark up, status, down: in a folder of state of the test's own, beside the Spark of the other tests. */

import { once } from 'node:events'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cachedSpark } from '../../../src/engines/spark/home.ts'
import { freePort } from '../../../src/engines/spark/local-server.ts'
import { processStart } from '../../../src/process-alive.ts'
import { lpa, newPlace, type Place, removePlaces, startLpa } from '../../faults/lpa.ts'
import { until } from '../../faults/until.ts'
import { describeWithSpark } from './shared-spark.ts'

const PORT = 'spark.connect.grpc.binding.port'

describeWithSpark('lpa spark', () => {
  let place: Place
  const own = () => ({ XDG_STATE_HOME: join(place.root, 'state') })
  const spark = (...args: string[]) => lpa(place, ['spark', ...args], { env: own() })
  const record = async (...args: string[]) => JSON.parse((await spark(...args, '--json')).stdout)
  const stateFile = () => join(place.root, 'state', 'lpa', 'spark.json')
  const state = () => JSON.parse(readFileSync(stateFile(), 'utf8'))

  beforeAll(() => {
    place = newPlace('spark')
  })
  afterAll(async () => {
    await spark('down')
    removePlaces()
  })

  test('status tells that nothing runs, and down has nothing to do', async () => {
    expect(await spark('status')).toMatchObject({ code: 1, stdout: 'state  stopped\n' })
    expect(await spark('down')).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('Spark did not run'),
    })
  })

  describe('up', () => {
    test('that is killed leaves one that starts: the next one waits for it', async () => {
      const { child, ended } = startLpa(place, ['spark', 'up'], { env: own() })
      await until(() => existsSync(stateFile()), 'Spark is being started')
      child.kill('SIGKILL')
      await ended
      expect(await spark('up')).toMatchObject({
        ...{ code: 0, stderr: expect.stringContaining('Spark runs already') },
      })
      expect(await record('status')).toMatchObject({ state: 'running' })
      await spark('down')
    })

    test('does not wait for a port that another program has', async () => {
      const other = createServer().listen(0, '127.0.0.1')
      try {
        await once(other, 'listening')
        const { port } = other.address() as AddressInfo
        const up = await spark('up', '--conf', `${PORT}=${port}`)
        expect(up).toMatchObject({ code: 69, stderr: expect.stringContaining(`Port ${port} is not free`) })
      } finally {
        other.close()
      }
    })

    test('starts it, at a port that is wanted, and tells where it is', async () => {
      const port = await freePort()
      const settings = [`${PORT}=${port}`, 'spark.hadoop.fs.permissions.umask-mode=027'].flatMap(
        (setting) => ['--conf', setting],
      )
      const up = await lpa(place, ['spark', 'up', '--memory', '512m', '--json', ...settings], {
        env: { ...own(), SNOWFLAKE_PASSWORD: 'canary-of-another-warehouse' },
      })
      expect(up.code, up.stderr).toBe(0)
      expect(JSON.parse(up.stdout)).toEqual({
        state: 'running',
        address: `sc://127.0.0.1:${port}`,
        pid: expect.any(Number),
        memory: '512m',
        started_at: expect.any(String),
        log: join(place.root, 'state', 'lpa', 'spark.log'),
      })
      const { token, pid } = state()
      expect(token).toMatch(/^[0-9a-f]{48}$/)
      expect(`${up.stdout}${up.stderr}`).not.toContain(token)
      expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).not.toContain(token)
      expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toContain('canary')
      for (const file of [stateFile(), join(place.root, 'state', 'lpa', 'spark.log')])
        expect((statSync(file).mode & 0o777).toString(8)).toBe('600')
    })

    test('a second time does nothing, and two at once neither', async () => {
      const before = state()
      const twice = await Promise.all([spark('up'), spark('up')])
      for (const { code, stderr } of twice) {
        expect(code).toBe(0)
        expect(stderr).toContain('Spark runs already')
        expect(stderr).not.toContain('lpa spark down')
      }
      expect((await spark('up', '--memory', '1g')).stderr).toContain('It goes on as it was started')
      expect(state()).toEqual(before)
    })

    test('its address is refused without the token, which lpa has', async () => {
      expect(await record('status')).toMatchObject({ state: 'running', pid: state().pid })
    })
  })

  test('down stops it, once', async () => {
    const { pid } = state()
    expect(await record('down')).toEqual({ state: 'stopped' })
    expect(processStart(pid)).toBeUndefined()
    expect(await record('down')).toEqual({ state: 'stopped' })
    expect((await spark('status')).code).toBe(1)
  })

  test('down ends no other process that got its number', async () => {
    writeFileSync(stateFile(), JSON.stringify({ pid: process.pid, processStart: '1', port: 1, token: 'x' }))
    expect(await record('down')).toEqual({ state: 'stopped' })
    expect(await record('status')).toEqual({ state: 'stopped' })
  })

  test.each([
    [['up', '--memory', 'much'], 2, '--memory is "much". It is a size: 512m, 8g.'],
    [['up', '--conf', 'threads'], 2, '--conf threads is no setting of Spark.'],
    [['up', '--conf', 'spark.connect.grpc.binding.address=0.0.0.0'], 2, 'docs/spark.md'],
    [['up', '--conf', 'spark.driver.memory=8g'], 2, '--memory 8g'],
  ])('lpa spark %j', async (args, code, message) => {
    expect(await spark(...args)).toMatchObject({ code, stderr: expect.stringContaining(message) })
  })

  test('a JAVA_HOME without Java is named', async () => {
    const nowhere = join(place.root, 'nowhere')
    const env = { XDG_STATE_HOME: nowhere, SPARK_HOME: cachedSpark(), JAVA_HOME: nowhere }
    const up = await lpa(place, ['spark', 'up'], { env })
    expect(up).toMatchObject({ code: 69, stderr: expect.stringContaining('where JAVA_HOME says') })
  })

  test('without Spark, it says where to get one', async () => {
    const nowhere = { XDG_STATE_HOME: join(place.root, 'state'), SPARK_HOME: join(place.root, 'nowhere') }
    const up = await lpa(place, ['spark', 'up'], { env: nowhere })
    expect(up).toMatchObject({ code: 69, stderr: expect.stringContaining('LPA-SPARK-MISSING') })
  })

  test('a Spark that does not start says why, and leaves nothing running', async () => {
    const up = await spark('up', '--conf', `${PORT}=none`)
    expect(up).toMatchObject({ code: 69, stderr: expect.stringContaining('LPA-SPARK-START') })
    expect(up.stderr).toContain('spark.log')
    expect(await record('status')).toEqual({ state: 'stopped' })
  })
})
