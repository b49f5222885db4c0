import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ROOT } from '../scripts/oclif-config.ts'

const GOLDEN = join(ROOT, 'fixtures', 'golden', 'json-shapes.txt')

/** Programs read these: a name or a type that changes breaks them. */
const COMMANDS = [
  'load exports/enrollments.csv --source other --json --report report.json',
  'batch --full --json',
  'runs --limit 1 --json',
  'rejects --json',
  'rejects list --limit 1 --json',
  'schema status --json',
  'schema plan --json',
  'grant plan --json',
  'grant check --audit --json',
  'grant show lpa_analyst --json',
  'key show --json',
  'query --list --json',
  'query enrollments --json',
  'dash --json',
  'export out --select dim_date --json',
  'doctor --json',
  'erase --from exports/learners.csv:learner_id --id-space campus --plan --json',
  'load no-such-file --json',
  'key rotate --json',
]

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-json-'))
  const made = lpa('up --sample --quiet')
  expect(made.status, made.stderr).toBe(0)
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

function lpa(words: string) {
  return spawnSync(process.execPath, [join(ROOT, 'bin', 'run.js'), ...words.split(' ')], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: process.env.HOME, XDG_CACHE_HOME: process.env.XDG_CACHE_HOME },
  })
}

/** Names and types, a line each: `[].summary: text`. What the rows of a list have between them counts as one row. */
function shapeOf(value: unknown, path: string, lines: Set<string>): void {
  if (Array.isArray(value)) {
    if (value.length === 0) lines.add(`${path}[]`)
    for (const item of value) shapeOf(item, `${path}[]`, lines)
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, item] of Object.entries(value))
      shapeOf(item, path === '' ? name : `${path}.${name}`, lines)
  } else {
    lines.add(`${path}: ${value === null ? 'null' : typeof value === 'string' ? 'text' : typeof value}`)
  }
}

it('the JSON that commands print has the shapes of fixtures/golden/json-shapes.txt (UPDATE_GOLDEN=1)', () => {
  const told = COMMANDS.map((command) => {
    const { stdout, stderr } = lpa(command)
    const lines = new Set<string>()
    // An error is one line on stderr, after it the summary.
    shapeOf(JSON.parse(stdout || (stderr.split('\n')[0] ?? '')), '', lines)
    return `lpa ${command}\n${[...lines].map((line) => `  ${line}\n`).join('')}`
  })
  const report = new Set<string>()
  shapeOf(JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')), '', report)
  const text = [...told, `report.json\n${[...report].map((line) => `  ${line}\n`).join('')}`].join('\n')
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(GOLDEN, text)
  expect(text).toBe(existsSync(GOLDEN) ? readFileSync(GOLDEN, 'utf8') : '')
})
