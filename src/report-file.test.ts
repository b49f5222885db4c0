import { execFileSync, spawn } from 'node:child_process'
import { lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
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
