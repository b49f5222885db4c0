import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadConfig } from '../config.ts'
import { init } from './init.ts'

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'lpa-init-'))
})
afterEach(() => rmSync(cwd, { recursive: true }))

const read = (name: string) => readFileSync(join(cwd, name), 'utf8')

test('a new folder gets a configuration, a private key and what git must not see', () => {
  const done = init({ cwd, folder: 'campus', sample: false })
  expect(done.created).toEqual(['lpa.toml', 'pseudonym.key', '.gitignore'])
  expect(done.next).toEqual([
    expect.stringContaining('Back the key up'),
    'cd campus && lpa schema apply && lpa load FILES… && lpa batch',
  ])
  expect(statSync(join(cwd, 'campus/pseudonym.key')).mode & 0o777).toBe(0o600)
  expect(read('campus/.gitignore')).toContain('\n/pseudonym.key\n/warehouse\n')
})

test('a second time nothing changes', () => {
  const first = init({ cwd, folder: '.', sample: false })
  writeFileSync(join(cwd, 'lpa.toml'), '[privacy]\nkey_file = "mine.key"\n[warehouse]\npath = "lake"\n')
  const key = read('pseudonym.key')
  const second = init({ cwd, folder: '.', sample: false })
  // The configuration that was kept names another key.
  expect(second).toMatchObject({ created: ['mine.key', '.gitignore'], kept: ['lpa.toml'] })
  expect(second.keyId).not.toBe(first.keyId)
  expect(read('pseudonym.key')).toBe(key)
  expect(read('.gitignore')).toMatch(/\/pseudonym\.key\n\/warehouse\n[\s\S]*\/mine\.key\n\/lake\n$/)
  const third = init({ cwd, folder: '.', sample: false })
  expect(third).toMatchObject({ created: [], kept: ['lpa.toml', 'mine.key', '.gitignore'] })
  expect(third.keyId).toBe(second.keyId)
})

test('a key that is not one is told, not replaced', () => {
  writeFileSync(join(cwd, 'pseudonym.key'), 'not a key\n', { mode: 0o600 })
  expect(() => init({ cwd, folder: '.', sample: false })).toThrow(/pseudonym\.key is not a pseudonym key/)
  expect(read('pseudonym.key')).toBe('not a key\n')
})

test('every setting that the file explains is one, with its default', () => {
  init({ cwd, folder: '.', sample: false })
  const settings = (text: string) => {
    writeFileSync(join(cwd, 'lpa.toml'), text)
    const { sources, terms, file, root, origin, ...rest } = loadConfig({ cwd, env: {} })
    return { sources, terms, rest }
  }
  const written = read('lpa.toml')
  const defaults = settings('')
  expect(settings(written)).toEqual(defaults)
  // No machine has to have that group; each has the first one.
  const all = settings(written.replace(/^# (?=\w+ = |\[)/gm, '').replace('"analysts"', '0   '))
  expect(all.sources).toHaveProperty('campus.idSpace', 'campus')
  expect(all.terms).toHaveLength(1)
  expect(all.rest.warehouse).toEqual({ ...defaults.rest.warehouse, threads: 2, group: '0' })
  expect(all.rest.security).toEqual({ ...defaults.rest.security, user: 'anna.berg' })
  const others = { warehouse: null, security: null }
  expect({ ...all.rest, ...others }).toEqual({ ...defaults.rest, ...others })
})
