/** docs/own-mappings.md as a new user reads it: every command is typed, and what it prints is what the page says. */

import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ROOT } from '../scripts/oclif-config.ts'

const FILES = join(ROOT, 'docs', 'examples', 'course-data')
const PAGE = readFileSync(join(ROOT, 'docs', 'own-mappings.md'), 'utf8')
const BLOCKS = [...PAGE.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, kind = '', text = '']) => ({
  kind,
  text,
}))

let top: string
beforeAll(() => {
  top = mkdtempSync(join(tmpdir(), 'lpa-own-'))
  mkdirSync(join(top, 'bin'))
  const lpa = join(top, 'bin', 'lpa')
  writeFileSync(lpa, `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, 'bin', 'run.js')}" "$@"\n`)
  chmodSync(lpa, 0o755)
  cpSync(FILES, join(top, 'data'), { recursive: true })
})
afterAll(() => rmSync(top, { recursive: true, force: true }))

test('shows every mapping of its folder as it is', () => {
  const mappings = readdirSync(FILES).filter((name) => name.endsWith('.sql'))
  const shown = BLOCKS.filter(({ kind }) => kind === 'sql').map(({ text }) => text)
  expect(shown.sort()).toEqual(mappings.map((name) => readFileSync(join(FILES, name), 'utf8')).sort())
})

test('every command runs, in the order of the page, and prints what it says', () => {
  const typed = BLOCKS.filter(({ kind }) => kind === 'sh' || kind === 'text')
  const printed = typed.map(({ kind, text }, index) => {
    if (kind === 'text') return text
    const { status, stdout, stderr } = spawnSync('sh', ['-e', '-c', text], {
      cwd: join(top, 'data'),
      encoding: 'utf8',
      env: {
        PATH: `${join(top, 'bin')}:/usr/bin:/bin`,
        HOME: process.env.HOME,
        XDG_CACHE_HOME: process.env.XDG_CACHE_HOME,
      },
    })
    expect(status, `${text}${stdout}${stderr}`).toBe(0)
    if (/--dry-run/.test(text))
      expect(stdout).toMatch(/starts_on +[|│] date +[|│] 2013-10-01 +[|│] 2014-02-01 /)
    const said = typed[index + 1]
    if (said?.kind === 'text') expect(stdout, text).toBe(said.text)
    return text
  })
  expect(printed.length).toBeGreaterThan(10)
})
