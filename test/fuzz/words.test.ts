/** Random words in every place where people write them: the command line, lpa.toml, the environment, mappings, cells. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import type { Config } from '@oclif/core'
import fc from 'fast-check'
import { stringify } from 'smol-toml'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { loadOclifConfig } from '../../scripts/oclif-config.ts'
import type { BaseCommand } from '../../src/base-command.ts'
import { SETTING_NAMES, variableOf } from '../../src/config/settings.ts'
import { loadConfig } from '../../src/config.ts'
import { writeRows } from '../../src/output.ts'
import { safeLines, safeText } from '../../src/safe-text.ts'
import { readMapping } from '../../src/sources/mapping.ts'
import { listSql, readSql } from '../../src/sql-files.ts'
import type { Cell, Column } from '../../src/types.ts'
import { misdeeds, rawCharacters } from '../hostile/terminal.ts'
import { changed, changes, expectDocumented, expectTold, LIMIT_MS, tryCases, wild } from './cases.ts'

const folder = mkdtempSync(join(tmpdir(), 'lpa-fuzz-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

// ── the command line ──────────────────────────────────────────────────────────────────────────────────────

type CommandClass = typeof BaseCommand & (new (argv: string[], config: Config) => BaseCommand)
interface Runnable {
  run(argv: string[], config: Config): Promise<void>
}

let config: Config
const commands = new Map<string, CommandClass>()
beforeAll(async () => {
  config = await loadOclifConfig()
  for (const command of config.commands) {
    if (command.id !== 'help') commands.set(command.id, (await command.load()) as unknown as CommandClass)
  }
})

/** A command up to its work: how it takes its words, and what it says when it does not. */
async function parsed(
  command: CommandClass,
  argv: readonly string[],
): Promise<{ code: number; said: string }> {
  class Parsed extends (command as new (argv: string[], config: Config) => BaseCommand) {
    async run(): Promise<void> {
      await this.start(command)
    }
  }
  let said = ''
  const write = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += text
    return true
  })
  try {
    await (Parsed as unknown as Runnable).run([...argv], config)
    return { code: Number(process.exitCode ?? 0), said }
  } finally {
    write.mockRestore()
    process.exitCode = 0
  }
}

/** Flags that write files where they are told to, and those that tell of a stack. */
const LEFT_OUT = ['log-file', 'report', 'verbose']

function wordsOf(command: CommandClass): fc.Arbitrary<string[]> {
  const flags = Object.keys({ ...command.baseFlags, ...command.flags }).filter(
    (name) => !LEFT_OUT.includes(name),
  )
  const flag = fc.constantFrom(...flags).map((name) => `--${name}`)
  const word = fc.oneof(
    flag,
    fc.tuple(flag, wild).map(([name, value]) => `${name}=${value}`),
    wild,
    wild.map((text) => `--${text}`),
    fc.constantFrom('--', '-', '-q', '-h', '--json', '--format=csv', '7'),
  )
  return fc.array(word, { maxLength: 6 })
}

test(
  'the command line',
  async () => {
    const lines = fc
      .constantFrom(...commands.keys())
      .chain((id) => wordsOf(commands.get(id) as CommandClass).map((words) => ({ id, words })))
    await tryCases(3000, lines, async ({ id, words }) => {
      const isVerbose = words.some((word) => /^-\w*v|^--(verbose|log-file|report)/.test(word))
      if (isVerbose || words.includes('--help') || words.includes('-h')) return
      const { code, said } = await parsed(commands.get(id) as CommandClass, words)
      expect([0, 2], said).toContain(code)
      expectDocumented(code, said)
    })
  },
  LIMIT_MS,
)

// ── lpa.toml and the environment ──────────────────────────────────────────────────────────────────────────

const SECTIONS = [
  'warehouse',
  'privacy',
  'security',
  'load',
  'query',
  'metrics',
  'dash',
  'spark',
  'sources',
  'terms',
  'profiles',
]
const KEYS = [
  ...SETTING_NAMES.map((name) => name.split('.')[1] as string),
  ...[
    'uri',
    'mapping',
    'id_space',
    'auth',
    'user',
    'secret_file',
    'timeout',
    'headers',
    'pagination',
    'records',
    'next',
  ],
  ...[
    'since',
    'since_path',
    'allow_private',
    'ca_file',
    'group',
    'tls',
    'from',
    'to',
    'token_uri',
    'auth_name',
  ],
]
const SAID = [
  'https://lms.example/x',
  'kafka://b:9092/t',
  'dir:exports',
  '30s',
  '1%',
  'UTC',
  'duckdb',
  'bearer',
  'link',
  '$.a',
]

const value: fc.Arbitrary<unknown> = fc.oneof(
  { depthSize: 'small' },
  fc.constantFrom(...SAID),
  wild.map((text) => text.toWellFormed()),
  fc.integer(),
  fc.double({ noNaN: true }),
  fc.boolean(),
  fc.date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }),
  fc.array(fc.constantFrom(...SAID), { maxLength: 3 }),
)
const key = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...KEYS) },
  { weight: 1, arbitrary: wild.map((text) => text.toWellFormed()) },
)
const table = fc.dictionary(key, value, { maxKeys: 4 })
const section = fc.oneof(fc.constantFrom(...SECTIONS), key)
const document = fc.dictionary(
  section,
  fc.oneof(table, fc.dictionary(key, fc.oneof(table, value), { maxKeys: 3 }), value),
  { maxKeys: 4 },
)

test(
  'lpa.toml and the environment',
  async () => {
    const cases = fc.record({
      toml: document.map((tables) => Buffer.from(stringify(tables))),
      changes: fc.oneof(fc.constant([]), changes),
      env: fc.dictionary(
        fc.oneof(
          fc.constantFrom(...SETTING_NAMES.map(variableOf)),
          fc.constantFrom('LPA_PROFILE', 'LPA_LOAD_X'),
        ),
        wild,
        {
          maxKeys: 2,
        },
      ),
      profile: fc.option(wild, { nil: undefined, freq: 8 }),
    })
    let accepted = 0
    await tryCases(1500, cases, ({ toml, changes: more, env, profile }) => {
      writeFileSync(join(folder, 'lpa.toml'), changed(toml, more))
      if (isAccepted(() => loadConfig({ cwd: folder, env, flags: { profile } }))) accepted += 1
    })
    expect(accepted).toBeGreaterThan(10)
  },
  LIMIT_MS,
)

/** What is not accepted is told as a mistake of the configuration. */
function isAccepted(read: () => unknown): boolean {
  try {
    read()
    return true
  } catch (error) {
    expectTold(error)
    expect(error).toMatchObject({ exit: 'config' })
    return false
  }
}

// ── mappings ──────────────────────────────────────────────────────────────────────────────────────────────

const HEADERS = [
  'title',
  'entity',
  'recognise',
  'records',
  'parse',
  'columns',
  'personal',
  'not-personal',
  'generalise',
  'export',
  'nulls',
  'keep',
  'header',
]
const header = fc.tuple(
  fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...HEADERS) }, { weight: 1, arbitrary: wild }),
  fc.oneof(
    wild,
    fc.constantFrom(
      'course',
      'learning_event',
      'learner',
      'snapshot',
      'delta',
      'none',
      '$.a.b',
      '$',
      '$..',
      '$."x',
      'a(learner)',
    ),
    fc.constantFrom(
      'a(learner[])',
      'a(email from b)',
      'a = $.x | $.y',
      'a number',
      'a json',
      '$.a(drop if b = 1)',
      'by a b (c = delta)',
    ),
  ),
)

test(
  'mappings',
  async () => {
    const packaged = listSql('mappings').map((name) => readFileSync(readSql('mappings', name).path))
    const written = fc
      .tuple(
        fc.array(header, { maxLength: 6 }),
        fc.oneof(fc.constantFrom('select 1', 'select a as course_id from source', ''), wild),
      )
      .map(([headers, sql]) =>
        Buffer.from(`${headers.map(([name, text]) => `-- ${name}: ${text}\n`).join('')}${sql}`),
      )
    const cases = fc.tuple(fc.oneof(fc.constantFrom(...packaged), written), changes)
    const file = join(folder, 'mapping.sql')
    let accepted = 0
    await tryCases(1200, cases, ([text, more]) => {
      writeFileSync(file, changed(text, more))
      if (isAccepted(() => readMapping(file))) accepted += 1
    })
    expect(accepted).toBeGreaterThan(10)
  },
  LIMIT_MS,
)

// ── what is printed ───────────────────────────────────────────────────────────────────────────────────────

class Kept extends Writable {
  text = ''
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString('utf8')
    done()
  }
}

const TERMINAL = { isTerminal: true, width: 80, height: 24, color: false, unicode: true }
const texts = fc.array(wild, { maxLength: 6 }).map((parts) => parts.join(''))

test(
  'text for a terminal',
  async () => {
    await tryCases(2500, texts, (text) => {
      const shown = safeText(text)
      expect(rawCharacters(shown)).toEqual([])
      expect(shown).not.toMatch(/[\n\r\t]/)
      expect(safeText(shown)).toBe(shown)
      expect(rawCharacters(safeLines(text).replaceAll('\r\n', '\n'))).toEqual([])
    })
  },
  LIMIT_MS,
)

test(
  'rows in every format',
  async () => {
    const types = ['text', 'json', 'integer', 'decimal', 'boolean'] as const
    const cell: Record<(typeof types)[number], fc.Arbitrary<Cell>> = {
      text: texts,
      json: texts,
      integer: fc.oneof(fc.integer(), fc.bigInt()),
      decimal: fc.double(),
      boolean: fc.boolean(),
    }
    const rows = fc
      .array(fc.tuple(texts, fc.constantFrom(...types)), { minLength: 1, maxLength: 4 })
      .chain((columns) =>
        fc.record({
          columns: fc.constant(columns.map(([name, type]): Column => ({ name, type }) as Column)),
          rows: fc.array(fc.tuple(...columns.map(([, type]) => fc.option(cell[type], { freq: 6 }))), {
            maxLength: 5,
          }),
        }),
      )
    const formats = fc.constantFrom('table', 'json', 'ndjson', 'csv', 'markdown' as const)
    const all: string[] = []
    await tryCases(800, fc.tuple(rows, formats), async ([result, format]) => {
      const to = new Kept()
      await writeRows(result, { format, to, terminal: TERMINAL })
      expect(rawCharacters(to.text.replaceAll('\r\n', '\n'))).toEqual([])
      if (format === 'json') expect(JSON.parse(to.text)).toHaveLength(result.rows.length)
      if (format === 'ndjson')
        expect(
          to.text
            .split('\n')
            .filter(Boolean)
            .map((line) => JSON.parse(line)),
        ).toHaveLength(result.rows.length)
      if (format === 'csv') expect(formulasIn(to.text)).toEqual([])
      if (all.length < 300) all.push(to.text.replaceAll('\r\n', '\n'))
    })
    expect(await misdeeds(all.join(''), { csv: true })).toEqual([])
  },
  LIMIT_MS,
)

/** Fields of a CSV text that a spreadsheet would run, but for numbers. */
function formulasIn(text: string): string[] {
  const fields = [...text.matchAll(/(?:^|,|\n)("(?:[^"]|"")*"|[^",\n]*)/g)].map(([, field = '']) =>
    field.replace(/^"/, ''),
  )
  const isNumber = (field: string) => /^-(\d+(\.\d+)?(e[+-]?\d+)?|Infinity)$/.test(field)
  return fields.filter((field) => /^[=+\-@\t\r＝＋－＠]/.test(field) && !isNumber(field))
}
