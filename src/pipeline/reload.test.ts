import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { loadConfig } from '../config.ts'
import { type EarlierLoad, reloadsOf } from './reload.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-reload-'))
  const sources = { bus: 'kafka://127.0.0.1:9092/statements,clicks', nightly: 'dir:exports' }
  const text = Object.entries(sources).map(([name, uri]) => `[sources.${name}]\nuri = "${uri}"\n`)
  writeFileSync(join(folder, 'lpa.toml'), text.join(''))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const load = (source: string, uri: string): EarlierLoad => ({ keyId: 'old', source, uri, format: 'xapi' })

it('of topics are what a stream reads again, by the name of their source or by their address', () => {
  const config = loadConfig({ cwd: folder, env: {}, flags: {} })
  const [statements, clicks] = ['statements', 'clicks'].map((topic) => `kafka://127.0.0.1:9092/${topic}`)
  const loads = [
    load('bus', statements ?? ''),
    load('bus', statements ?? ''),
    load('bus', clicks ?? ''),
    load('kafka', statements ?? ''),
    load('second', statements ?? ''),
  ]
  expect(reloadsOf(loads, config, folder)).toEqual([
    { command: 'lpa stream bus --reset-offsets', source: 'bus', loads: 3, inputs: 2, missing: [] },
    {
      command: `lpa stream ${statements} --reset-offsets --mapping xapi`,
      ...{ source: 'kafka', loads: 1, inputs: 1, missing: [] },
    },
    {
      command: `lpa stream ${statements} --reset-offsets --source second --mapping xapi`,
      ...{ source: 'second', loads: 1, inputs: 1, missing: [] },
    },
  ])
})

it('of directories that Spark streamed are what it streams again', () => {
  const config = loadConfig({ cwd: folder, env: {}, flags: {} })
  const inConfig = `dir:${join(folder, 'exports')}`
  const flags = '--reset-offsets --engine spark'
  expect(reloadsOf([load('nightly', inConfig), load('lms', 'dir:/srv/lms')], config, folder)).toEqual([
    { command: `lpa stream nightly ${flags}`, source: 'nightly', loads: 1, inputs: 1, missing: [] },
    {
      command: `lpa stream dir:/srv/lms ${flags} --source lms --mapping xapi`,
      ...{ source: 'lms', loads: 1, inputs: 1, missing: [] },
    },
  ])
})
