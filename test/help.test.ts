import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '@oclif/core'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadOclifConfig, ROOT } from '../scripts/oclif-config.ts'
import LpaHelp from '../src/help.ts'

const GOLDEN = join(ROOT, 'fixtures', 'golden', 'help')
const UPDATE = process.env.UPDATE_GOLDEN === '1'

/** lpa's help, kept instead of printed, at 80 columns. */
class KeptHelp extends LpaHelp {
  readonly lines: string[] = []
  constructor(config: Config) {
    super(config, { maxWidth: 80, stripAnsi: true })
  }
  protected override log(...args: string[]): void {
    this.lines.push(args.join(' '))
  }
}

let config: Config
let ids: string[]
beforeAll(async () => {
  config = await loadOclifConfig()
  ids = config.commands.filter((command) => !command.hidden).map(({ id }) => id)
})

async function helpOf(id: string): Promise<string> {
  // Fresh, because oclif's help changes the descriptions that it prints.
  const help = new KeptHelp(await loadOclifConfig())
  await help.showHelp(id === '' ? [] : [...id.split(':'), '--help'])
  return `${help.lines.join('\n').trimEnd()}\n`
}

const fileOf = (id: string) => join(GOLDEN, `${id === '' ? 'lpa' : id.replaceAll(':', '-')}.txt`)

it('help is as in fixtures/golden/help (UPDATE_GOLDEN=1 rewrites it)', async () => {
  mkdirSync(GOLDEN, { recursive: true })
  const expected = new Set<string>()
  // Topics that are no commands themselves have no summary but their own.
  const topics = config.topics.map(({ name }) => name).filter((name) => !ids.includes(name))
  for (const id of ['', ...ids, ...topics]) {
    const file = fileOf(id)
    expected.add(file)
    const text = await helpOf(id)
    if (UPDATE) writeFileSync(file, text)
    expect(text, `help of ${id || 'lpa'}`).toBe(existsSync(file) ? readFileSync(file, 'utf8') : '')
  }
  for (const file of readdirSync(GOLDEN).map((name) => join(GOLDEN, name))) {
    if (UPDATE && !expected.has(file)) rmSync(file)
    expect(existsSync(file) && !expected.has(file), `${file} is of a command that is no more`).toBe(false)
  }
})

it('every command has a summary, an example and its exit codes, and fits 80 columns', async () => {
  for (const id of ids) {
    const command = config.commands.find((candidate) => candidate.id === id)
    expect(command?.summary, `${id} has no summary`).toMatch(/\.$/)
    expect(command?.examples?.length ?? 0, `${id} has no example`).toBeGreaterThan(0)
    const text = await helpOf(id)
    expect(text).toContain('EXIT CODES')
    const tooWide = text.split('\n').filter((line) => [...line].length > 80)
    expect(tooWide, `help of ${id}`).toEqual([])
  }
})

describe('lpa prints it', () => {
  const lpa = (...args: string[]) =>
    spawnSync(process.execPath, [join(ROOT, 'bin', 'dev.js'), ...args], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: process.env.HOME, OCLIF_COLUMNS: '80' },
    })

  it.each([
    ['--help', ['--help'], ''],
    ['no words', [], ''],
    ['a command', ['completion', '--help'], 'completion'],
  ])('%s', (_, args, id) => {
    const { stdout, stderr, status } = lpa(...args)
    expect(stdout.trimEnd()).toBe(readFileSync(fileOf(id), 'utf8').trimEnd())
    expect(stderr).toBe('')
    expect(status).toBe(0)
  })
})
