import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { loadConfig } from '../config.ts'
import { serveSnowflake } from '../engines/snowflake/snowflake-server.test-support.ts'
import type { Diagnosis } from './diagnosis.ts'
import { examineSnowflake } from './doctor-snowflake.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'lpa-doctor-snowflake-'))
  vi.stubEnv('SNOWFLAKE_HOME', home)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(home, { recursive: true })
})

async function examine(port: number, { mode = 0o600, more = '' } = {}): Promise<Diagnosis> {
  const address = `host = "127.0.0.1"\nport = ${port}\nprotocol = "http"\n`
  const login = 'account = "acc"\nuser = "lpa"\npassword = "pass-of-test"\ndatabase = "LPA"\n'
  writeFileSync(join(home, 'connections.toml'), `[dev]\n${login}${address}${more}`)
  chmodSync(join(home, 'connections.toml'), mode)
  const config = loadConfig({
    cwd: home,
    env: { LPA_WAREHOUSE_ENGINE: 'snowflake', LPA_WAREHOUSE_CONNECTION: 'dev' },
  })
  const diagnosis: Diagnosis = { facts: [], findings: [], planned: [], fixed: [] }
  await examineSnowflake(config, new AbortController().signal, diagnosis)
  return diagnosis
}

test('a connection that works: where it is from, and what one is in the session', async () => {
  await using server = await serveSnowflake('in', ['9.40.1', 'LOADER', 'WH', 'LPA'])
  const { facts, findings } = await examine(server.port)
  expect(findings).toEqual([])
  expect(facts.map(({ area, name, value }) => [area, name, value])).toEqual([
    ['warehouse', 'connection', `dev ([dev] of ${join(home, 'connections.toml')})`],
    ['warehouse', 'account', 'acc'],
    ['warehouse', 'login', 'snowflake'],
    ['program', 'snowflake-sdk', expect.stringMatching(/^\d+\.\d+\.\d+$/)],
    ['warehouse', 'version', 'Snowflake 9.40.1'],
    ['warehouse', 'role', 'LOADER'],
    ['warehouse', 'warehouse', 'WH'],
    ['warehouse', 'database', 'LPA'],
  ])
  // It is logged out of: an open session would wait for its end for hours.
  expect(server.asked.at(-1)?.path).toBe('/session')
})

test('an open file, a misspelt field, no database and no warehouse are findings', async () => {
  await using server = await serveSnowflake('in', ['9.40.1', 'LOADER', null, null])
  const { findings } = await examine(server.port, { mode: 0o644, more: 'warehose = "WH"\n' })
  expect(findings.map(({ code, next }) => [code, next.at(-1)])).toEqual([
    ['LPA-SNOWFLAKE-MODE', `chmod 600 ${join(home, 'connections.toml')}`],
    ['LPA-SNOWFLAKE-FIELD', 'Did you mean warehouse?'],
    [
      'LPA-DOCTOR-DATABASE',
      `Or name another one: database = "…" in [dev] of ${join(home, 'connections.toml')}`,
    ],
    ['LPA-DOCTOR-COMPUTE', `Add it: warehouse = "…" in [dev] of ${join(home, 'connections.toml')}`],
  ])
})

test('a login that fails is a finding, and shows no password', async () => {
  await using server = await serveSnowflake({
    code: '390100',
    message: 'Incorrect username or password was specified.',
  })
  const diagnosis = await examine(server.port)
  expect(diagnosis.findings).toMatchObject([{ code: 'LPA-SNOWFLAKE-LOGIN' }])
  expect(JSON.stringify(diagnosis)).not.toContain('pass-of-test')
})
