import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { MAN_FILE, manPage } from '../scripts/man.ts'
import { loadOclifConfig } from '../scripts/oclif-config.ts'

let page: string
beforeAll(async () => {
  page = manPage(await loadOclifConfig())
})

it('man/lpa.1 is current (node scripts/man.ts or UPDATE_GOLDEN=1 rewrites it)', () => {
  if (process.env.UPDATE_GOLDEN === '1') {
    mkdirSync(dirname(MAN_FILE), { recursive: true })
    writeFileSync(MAN_FILE, page)
  }
  expect(readFileSync(MAN_FILE, 'utf8')).toBe(page)
})

it('names every command and exit code', async () => {
  const config = await loadOclifConfig()
  for (const { id, hidden } of config.commands) {
    if (!hidden) expect(page).toContain(`.SS lpa ${id.replaceAll(':', ' ').replaceAll('-', '\\-')}`)
  }
  for (const code of [0, 1, 2, 65, 66, 69, 70, 73, 74, 75, 77, 78, 130, 141, 143]) {
    expect(page).toContain(`\n.B ${code}\n`)
  }
})

it('has no line that roff would misread', () => {
  const requests = new Set(['TH', 'SH', 'SS', 'TP', 'PP', 'B', 'I', 'BR', 'RI', 'RS', 'RE', 'nf', 'fi', 'br'])
  for (const line of page.split('\n')) {
    if (line.startsWith('.')) expect(requests, line).toContain(/^\.(\w+)/.exec(line)?.[1])
    expect(line).not.toMatch(/^'/)
    expect(line, 'not ASCII').toMatch(/^[\x20-\x7e]*$/)
  }
})

it('groff formats it without a warning', (context) => {
  const groff = spawnSync('groff', ['-man', '-Tutf8', '-ww', '-z'], { input: page, encoding: 'utf8' })
  if (groff.error) context.skip('there is no groff: apt-get install groff')
  expect(groff.stderr).toBe('')
})
