import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeWhole } from './report-file.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-report-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('a link stays, and its file is written', async () => {
  writeFileSync(join(folder, 'file'), 'old')
  symlinkSync('file', join(folder, 'link'))
  await writeWhole(join(folder, 'link'), 'new')
  expect(lstatSync(join(folder, 'link')).isSymbolicLink()).toBe(true)
  expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('new')
})

// As root, --report /dev/null once made a file of it.
test('a device or a pipe is written to, and stays what it is', async (context) => {
  if (process.platform === 'win32') context.skip('no mkfifo')
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  const reader = spawn('cat', [pipe])
  const told = text(reader.stdout)
  await writeWhole(pipe, 'new')
  expect(await told).toBe('new')
  expect(lstatSync(pipe).isFIFO()).toBe(true)
})

test('what a run left that was killed is taken away, and nothing of a run that is there', async () => {
  const { pid } = spawnSync('true')
  const hourAgo = Date.now() / 1000 - 3600
  const names = [`.page.html.${pid}.part`, `.page.html.${process.ppid}.part`, `.other.html.${pid}.part`]
  for (const name of names) {
    writeFileSync(join(folder, name), 'half')
    utimesSync(join(folder, name), hourAgo, hourAgo)
  }
  await writeWhole(join(folder, 'page.html'), 'whole')
  expect(readdirSync(folder).sort()).toEqual([...names.slice(1), 'page.html'].sort())
})
