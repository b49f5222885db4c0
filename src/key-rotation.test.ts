import { spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { keptKeys, rotateKey } from './key-rotation.ts'
import { createKey, readKey } from './pseudonym.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-rotate-'))
  file = join(folder, 'pseudonym.key')
})
afterEach(() => rmSync(folder, { recursive: true }))

const MODULE = fileURLToPath(new URL('key-rotation.ts', import.meta.url))
const STEPS = ['openSync', 'writeSync', 'fsyncSync', 'linkSync', 'renameSync', 'rmSync', 'readFileSync']

/** rotateKey in a process of its own, which kills itself before its n-th step on the disk. */
const script = (at: number) => `
  import fs from 'node:fs'
  import { syncBuiltinESMExports } from 'node:module'
  const { rotateKey } = await import(${JSON.stringify(MODULE)})
  let steps = 0
  for (const name of ${JSON.stringify(STEPS)}) {
    const real = fs[name]
    fs[name] = (...args) => {
      steps += 1
      if (steps === ${at}) process.kill(process.pid, 'SIGKILL')
      return real(...args)
    }
  }
  syncBuiltinESMExports()
  try {
    process.stdout.write(rotateKey(${JSON.stringify(file)}).newKeyId)
  } catch (error) {
    process.stdout.write(error.code)
  }`
const node = (at: number) => ['--input-type=module', '-e', script(at)]

test('the new key is another one, and the old one lies beside it, each only its owner can read', () => {
  const old = createKey(file)
  const { oldKeyId, newKeyId, kept } = rotateKey(file)
  expect(oldKeyId).toBe(old.id)
  expect(readKey(file).id).toBe(newKeyId)
  expect(newKeyId).not.toBe(old.id)
  expect(readKey(file).secret).toHaveLength(32)
  expect(kept).toBe(`${file}.${old.id}`)
  expect(readKey(kept).secret).toEqual(old.secret)
  expect(readdirSync(folder).sort()).toEqual(['pseudonym.key', `pseudonym.key.${old.id}`])
  for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600)
  expect(keptKeys(file)).toEqual([{ file: kept, keyId: old.id }])
})

test('a link to the key stays one', () => {
  mkdirSync(join(folder, 'safe'))
  const real = join(folder, 'safe', 'mine.key')
  const { id } = createKey(real)
  symlinkSync(real, file)
  const { newKeyId } = rotateKey(file)
  expect(readKey(real).id).toBe(newKeyId)
  expect(readdirSync(join(folder, 'safe')).sort()).toEqual(['mine.key', `mine.key.${id}`])
})

test('nothing is changed where the key cannot be used, or its place is taken by another', () => {
  expect(() => rotateKey(file)).toThrow(/cannot be read/)
  const { id } = createKey(file)
  const before = readFileSync(file)
  chmodSync(file, 0o644)
  expect(() => rotateKey(file)).toThrow(/can be read by others/)
  chmodSync(file, 0o600)
  createKey(`${file}.${id}`)
  expect(() => rotateKey(file)).toThrow(/is another key than its name says/)
  expect(readFileSync(file)).toEqual(before)
})

test('killed at any step no key is lost, and the next run ends what was begun', () => {
  for (let at = 1; ; at++) {
    for (const name of readdirSync(folder)) rmSync(join(folder, name))
    const old = createKey(file)
    const ran = spawnSync(process.execPath, node(at), { encoding: 'utf8' })
    if (ran.signal === null) {
      // All steps were tried: read, write, sync, link, link, rename.
      expect(at).toBeGreaterThan(15)
      expect(ran.stdout).toBe(readKey(file).id)
      return
    }
    const left = readdirSync(folder)
    const between = readKey(file).id
    const begun = left.find((name) => name.includes('.after-'))
    const begunId = begun && readKey(join(folder, begun)).id
    for (const name of left) expect(statSync(join(folder, name)).mode & 0o077, name).toBe(0)
    // Used by loads, or about to be: each has a name.
    const isKept = between === old.id || left.includes(`pseudonym.key.${old.id}`)
    expect(isKept, `killed at step ${at}: ${left.join(', ')}`).toBe(true)

    const { oldKeyId, newKeyId } = rotateKey(file)
    expect(oldKeyId).toBe(between)
    if (begunId && begun?.endsWith(between)) expect(newKeyId).toBe(begunId)
    expect(readKey(`${file}.${old.id}`).secret).toEqual(old.secret)
    expect(readKey(`${file}.${between}`).id).toBe(between)
    const names = new Set(['pseudonym.key', `pseudonym.key.${old.id}`, `pseudonym.key.${between}`])
    expect(new Set(readdirSync(folder)), `killed at step ${at}`).toEqual(names)
  }
}, 60_000)

test('of runs at the same moment none loses the key of another', async () => {
  for (let round = 0; round < 3; round++) {
    createKey(join(folder, `k${round}`))
    writeFileSync(file, readFileSync(join(folder, `k${round}`)), { mode: 0o600 })
    const said = await Promise.all(
      Array.from(
        { length: 6 },
        () =>
          new Promise<string>((resolve) => {
            const child = spawn(process.execPath, node(0))
            let text = ''
            child.stdout.on('data', (chunk) => {
              text += chunk
            })
            child.on('close', () => resolve(text))
          }),
      ),
    )
    const made = said.filter((text) => text !== 'LPA-KEY-ROTATED')
    expect(made.length).toBeGreaterThan(0)
    const there = new Set([readKey(file).id, ...keptKeys(file).map(({ keyId }) => keyId)])
    for (const id of made) expect(there, said.join()).toContain(id)
    for (const kept of keptKeys(file)) expect(readKey(kept.file).id).toBe(kept.keyId)
  }
}, 60_000)
