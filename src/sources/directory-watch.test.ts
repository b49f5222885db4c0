import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DirectoryWatch } from './directory-watch.ts'

let folder: string
let watch: DirectoryWatch
const { signal } = new AbortController()
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-watch-'))
  watch = new DirectoryWatch()
})
afterEach(() => {
  watch[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

async function pauseMs(leastMs: number, mostMs: number, work: () => void = () => {}): Promise<number> {
  const started = performance.now()
  const paused = watch.pause(leastMs, mostMs, signal)
  work()
  await paused
  return performance.now() - started
}

const change = () => writeFileSync(join(folder, 'a.csv'), 'id\n')

test('a change ends the pause, also one that came before it', async () => {
  expect(watch.follow(new Map([[folder, '1']]))).toBe(true)
  expect(watch.follow(new Map([[folder, '1']]))).toBe(false)
  expect(await pauseMs(20, 8000, change)).toBeLessThan(4000)
  change()
  expect(await pauseMs(20, 8000)).toBeLessThan(4000)
})

test('it lasts as long as it must, and no longer than it may', async () => {
  watch.follow(new Map([[folder, '1']]))
  expect(await pauseMs(300, 8000, change)).toBeGreaterThanOrEqual(295)
  expect(await pauseMs(20, 200)).toBeGreaterThanOrEqual(195)
})

test('a folder that was made anew is watched anew, and one that is gone is not', async () => {
  watch.follow(new Map([[folder, '1']]))
  rmSync(folder, { recursive: true })
  expect(watch.follow(new Map([[folder, '2']]))).toBe(false)
  mkdirSync(folder)
  expect(watch.follow(new Map([[folder, '3']]))).toBe(true)
  expect(await pauseMs(20, 8000, change)).toBeLessThan(4000)
})

test('whoever is stopped does not wait', async () => {
  const stop = new AbortController()
  const paused = watch.pause(1, 8000, stop.signal)
  setTimeout(() => stop.abort(), 50)
  await expect(paused).rejects.toThrow('aborted')
})
