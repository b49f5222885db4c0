/** Snowflake's driver is loaded by who uses Snowflake, and may be missing for everybody else. */

import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ROOT } from '../../../scripts/oclif-config.ts'
import { describeLpaOnSnowflake, LpaPlace } from './lpa-place.ts'

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

describeLpaOnSnowflake('Snowflake’s driver', () => {
  let place: LpaPlace
  beforeAll(async () => {
    place = await LpaPlace.create()
    await place.embedded(['schema', 'apply', '--quiet'])
    await place.lpaOk(['schema', 'apply', '--quiet'])
  })
  afterAll(() => place?.[Symbol.asyncDispose]())

  test('is not loaded by a query of the embedded engine', async () => {
    const watch = pathToFileURL(join(place.folder.root, place.write('watch.mjs', WATCH)))
    const modulesOf = async (engine: 'embedded' | 'lpaOk') => {
      const file = join(place.folder.root, place.write(`${engine}.txt`, ''))
      const env = { NODE_OPTIONS: `--import=${watch}`, LOADED_MODULES: file }
      await place[engine](['query', 'funnel', '--quiet'], { env })
      return readFileSync(file, 'utf8').split('\n')
    }
    const ofDriver = (modules: readonly string[]) =>
      modules.filter((url) => url.includes('/node_modules/snowflake-sdk/'))
    const embedded = await modulesOf('embedded')
    expect(embedded.length).toBeGreaterThan(20)
    expect(ofDriver(embedded)).toEqual([])
    expect(ofDriver(await modulesOf('lpaOk')).length).toBeGreaterThan(20)
  })

  test('is asked for where it is missing, and only by Snowflake', async () => {
    const root = join(place.folder.root, 'installed')
    for (const name of ['bin', 'dist', 'schema', 'sql', 'package.json', 'oclif.manifest.json'])
      cpSync(join(ROOT, name), join(root, name), { recursive: true })
    mkdirSync(join(root, 'node_modules'))
    for (const name of readdirSync(join(ROOT, 'node_modules')))
      if (name !== 'snowflake-sdk' && !name.startsWith('.'))
        symlinkSync(join(ROOT, 'node_modules', name), join(root, 'node_modules', name))
    const run = join(root, 'bin', 'run.js')
    const ran = await place.lpa(['query', 'funnel'], { program: run })
    expect(ran).toMatchObject({
      code: 69,
      stdout: '',
      stderr: expect.stringContaining('LPA-SNOWFLAKE-DRIVER'),
    })
    expect(ran.stderr).toMatch(/\n {2}npm install snowflake-sdk@\d+\.\d+\.\d+\n/)
    await place.embedded(['query', 'funnel', '--quiet'], { program: run })
  })
})
