/** Which policy a project has. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadConfig } from '../config.ts'
import { readPolicy } from './policy.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-policy-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function read(toml: string) {
  writeFileSync(join(folder, 'lpa.toml'), toml)
  return readPolicy(loadConfig({ cwd: folder, env: {} }))
}

test('is the one that lpa comes with, or of its own folder', async () => {
  expect((await read('')).isReadyMade).toBe(true)
  mkdirSync(join(folder, 'security'))
  await expect(read('')).rejects.toMatchObject({ code: 'LPA-POLICY-EMPTY' })
  writeFileSync(join(folder, 'security', 'mine.yml'), 'roles: { reader: {} }')
  const { policy, isReadyMade } = await read('')
  expect([isReadyMade, policy.roles.map(({ name }) => name)]).toEqual([false, ['reader']])
})

test('of a folder that is named and not there is none', async () => {
  await expect(read('[security]\nfolder = "secrity"\n')).rejects.toMatchObject({
    code: 'LPA-POLICY-MISSING',
    where: 'lpa.toml:2',
  })
})
