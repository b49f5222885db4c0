/** Spark's client is loaded by who uses Spark, and nothing of Spark is asked of anybody else. */

import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { packageRoot } from '../../../src/sql-files.ts'
import { initPlace, lpaOk, type Place, removePlaces } from '../../faults/lpa.ts'
import { describeWithSpark } from './shared-spark.ts'

/** Loaded before lpa: writes the URL of each module, of both kinds, to a file as it is loaded. */
const WATCH = `
import { appendFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
registerHooks({
  load(url, context, next) {
    appendFileSync(process.env.LOADED_MODULES, url + '\\n')
    return next(url, context)
  },
})
`

/** What only its client has in it, bundled or not. */
const CLIENT = /grpc-status-details-bin/i

describeWithSpark('Spark’s client', ({ state }) => {
  let place: Place
  beforeAll(async () => {
    place = await initPlace('spark')
    cpSync(join(packageRoot(), 'fixtures', 'campus'), join(place.root, 'exports'), { recursive: true })
    await lpaOk(place, ['load', '--quiet', 'exports'])
    writeFileSync(join(place.root, 'watch.mjs'), WATCH)
  })
  afterAll(removePlaces)

  async function partsOfClient(args: readonly string[]): Promise<string[]> {
    const file = join(place.root, 'modules.txt')
    writeFileSync(file, '')
    const watch = pathToFileURL(join(place.root, 'watch.mjs'))
    const env = { NODE_OPTIONS: `--import=${watch}`, LOADED_MODULES: file, XDG_STATE_HOME: state }
    await lpaOk(place, args, { env })
    const modules = readFileSync(file, 'utf8')
      .split('\n')
      .filter((url) => url.startsWith('file:'))
    expect(modules.length).toBeGreaterThan(20)
    return modules.filter((url) => CLIENT.test(readFileSync(fileURLToPath(url), 'utf8')))
  }

  test.each([
    [['load', 'exports']],
    [['stream', 'dir:exports', '--until-caught-up']],
    [['batch', '--full']],
    [['query', 'funnel']],
    [['doctor']],
  ])('is not loaded by lpa %j', async (args) => {
    expect(await partsOfClient(args)).toEqual([])
  })

  test('is loaded by a batch on Spark', async () => {
    expect(await partsOfClient(['batch', '--full', '--engine', 'spark'])).not.toEqual([])
  })
})
