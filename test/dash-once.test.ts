import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { generateCampus } from '../src/pipeline/sample/campus.ts'

const ENTRY = fileURLToPath(new URL('../bin/run.js', import.meta.url))

let folder: string

function lpa(args: readonly string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [ENTRY, ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: process.env.HOME, LANG: 'C.UTF-8', ...env },
  })
  return { code: status, stdout, stderr }
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-dash-once-'))
  writeFileSync(join(folder, 'pseudonym.key'), `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 })
  await generateCampus(join(folder, 'exports'), { learners: 200, events: 3000, seed: 3, badRows: 0 })
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

// In order: what a new user sees, from nothing to a picture.
it('says how to make the warehouse when there is none', () => {
  expect(lpa(['dash'])).toMatchObject({ code: 66, stderr: expect.stringContaining('lpa schema apply') })
})

it('says what fills the warehouse when it is empty', () => {
  expect(lpa(['schema', 'apply', '-q']).code).toBe(0)
  const { code, stdout } = lpa(['dash'])
  expect(code).toBe(0)
  expect(stdout).toContain('lpa load FILE')
  expect(stdout).toContain('lpa up --sample')
})

it('draws one plain picture where there is no terminal', () => {
  for (const file of ['enrollments.csv', 'completions.csv', 'events.ndjson']) {
    expect(lpa(['load', `exports/${file}`, '-q'])).toMatchObject({ code: 0 })
  }
  lpa(['batch', '-q'])
  const { code, stdout, stderr } = lpa(['dash'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const lines = stdout.trimEnd().split('\n')
  expect(lines.length).toBeGreaterThan(15)
  expect(lines.length).toBeLessThanOrEqual(24)
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80)
  expect(stdout).not.toContain('\x1b')
  expect(stdout).toContain('╭ Enrollments/day')
  expect(stdout).toMatch(/COURSE +ENROLLED/)
})

it('fits a terminal of 80 × 24 with all that it says', () => {
  const command = `stty cols 80 rows 24; "${process.execPath}" "${ENTRY}" dash --once`
  const { stdout } = spawnSync('bash', ['-c', `script -qec '${command}' /dev/null`], {
    cwd: folder,
    encoding: 'utf8',
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      LANG: 'C.UTF-8',
      TERM: 'xterm',
      SHELL: '/bin/bash',
    },
  })
  const lines = stdout.split('\r\n')
  expect(lines[0]).toContain('Overview')
  // The last line, after the last line end, is the prompt's.
  expect(lines.length).toBeLessThanOrEqual(24)
})

it('draws in ASCII for a locale without more, and in the size that is asked for', () => {
  const { stdout } = lpa(['dash', '--once'], { LANG: 'C', COLUMNS: '120', LINES: '40' })
  expect(stdout).toMatch(/^[\x20-\x7e\n]*$/)
  expect(stdout).toContain('+ Active learners/day')
})

it('gives the same numbers as its reports', () => {
  const numbers = JSON.parse(lpa(['dash', '--format', 'json']).stdout)
  const asked = (report: string) =>
    JSON.parse(lpa(['query', report, '--param', 'days=28', '--json', '-q']).stdout)
  expect(numbers.overview).toEqual(asked('overview'))
  expect(numbers['course-table']).toEqual(asked('course-table'))
  expect(numbers.overview[0].value).toBeGreaterThan(0)
})

it.each(['overview', 'enrollments', 'funnel', 'courses', 'learners', 'stream', 'health'])(
  'shows the screen %s as a picture, its numbers, and the rows of its table',
  (screen) => {
    const picture = lpa(['dash', '--screen', screen])
    expect(picture).toMatchObject({ code: 0, stderr: '' })
    expect(picture.stdout).not.toContain('\x1b')
    expect(picture.stdout.split('\n').length).toBeLessThanOrEqual(25)
    const numbers = JSON.parse(lpa(['dash', '--screen', screen, '--json']).stdout)
    const csv = lpa(['dash', '--screen', screen, '--format', 'csv', '-q'])
    expect(csv).toMatchObject({ code: 0, stderr: '' })
    const [head = '', ...rows] = csv.stdout.trimEnd().split('\n')
    const table = Object.values(numbers as Record<string, object[]>).find(
      (its) => Object.keys(its[0] ?? {}).join(',') === head,
    )
    // Nothing was streamed here.
    if (screen !== 'stream') expect(rows).toHaveLength(table?.length ?? -1)
  },
)

it('tells sentences to who listens', () => {
  const { code, stdout } = lpa(['dash'], { INK_SCREEN_READER: 'true' })
  expect(code).toBe(0)
  expect(stdout).toMatch(/^Enrollments: \S+, (up|down) /)
  expect(stdout).not.toMatch(/[╭│]/)
})

it('writes a screen into a file, in the place of an older one', () => {
  for (const ending of ['svg', 'html', 'png', 'csv', 'svg']) {
    const ran = lpa(['dash', '--screen', 'funnel', '--export', `funnel.${ending}`])
    expect(ran).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('written') })
  }
  expect(readFileSync(join(folder, 'funnel.svg'), 'utf8')).toContain('From enrollment to certificate')
  expect(readFileSync(join(folder, 'funnel.csv'), 'utf8')).toMatch(/^course_id,course_title,enrolled/)
  expect(lpa(['dash', '--export', 'funnel.gif'])).toMatchObject({ code: 2 })
  expect(lpa(['dash', '--export', 'no/such/folder.svg'])).toMatchObject({ code: 73 })
})

it('refuses formats that a picture has not', () => {
  expect(lpa(['dash', '--format', 'markdown'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('lpa query daily --format csv'),
  })
})

// Files shaped like core, in place of the warehouse.

const CORE = [
  ...[
    'dim_date',
    'dim_course_category',
    'dim_instructor',
    'bridge_course_instructor',
    'dim_course',
    'dim_learner',
  ],
  ...['fact_enrollment', 'fact_learning_event', 'fact_course_completion', 'agg_course_day'],
]

/** Core as files of a folder, each table by its name. */
function exportCore(name: string, format: 'parquet' | 'csv'): string {
  mkdirSync(join(folder, name))
  for (const table of CORE) {
    const file = openSync(join(folder, name, `${table}.${format}`), 'w')
    const { status } = spawnSync(
      process.execPath,
      [ENTRY, 'query', '--sql', `select * from ${table}`, '--format', format, '-q'],
      {
        cwd: folder,
        stdio: ['ignore', file, 'inherit'],
      },
    )
    closeSync(file)
    expect(status).toBe(0)
  }
  return name
}

it.each([
  ['parquet', ['overview', 'enrollments', 'funnel', 'courses', 'learners']],
  ['csv', ['overview', 'learners']],
] as const)('shows %s files as it shows the warehouse, and writes nothing', (format, screens) => {
  const files = exportCore(`core-${format}`, format)
  const elsewhere = { LPA_WAREHOUSE_PATH: join(folder, 'no-such') }
  for (const screen of screens) {
    const words = ['--format', 'json', '--screen', screen]
    const shown = lpa(['dash', files, ...words], elsewhere)
    expect(shown).toMatchObject({ code: 0, stderr: '' })
    // What is asked of staging and of the book-keeping, no files of core can tell.
    const ofCore = ({ reconciliation, ...rest }: Record<string, unknown>) => rest
    expect(ofCore(JSON.parse(shown.stdout))).toEqual(ofCore(JSON.parse(lpa(['dash', ...words]).stdout)))
  }
  for (const screen of ['stream', 'health']) {
    expect(lpa(['dash', files, '--once', '--screen', screen], elsewhere)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Plain files tell nothing of loads, checks and streams.'),
    })
  }
  expect(existsSync(elsewhere.LPA_WAREHOUSE_PATH)).toBe(false)
})

it('shows what single files hold, and says what is wrong with others', () => {
  const one = lpa([
    'dash',
    ...['agg_course_day', 'fact_enrollment'].map((table) => `core-csv/${table}.csv`),
    '--json',
  ])
  expect(one.code).toBe(0)
  const { daily, 'course-table': courses } = JSON.parse(one.stdout)
  expect([daily.length > 0, courses]).toEqual([true, []])
  const wrong = (content: string, name: string) => {
    writeFileSync(join(folder, name), content)
    const { code, stderr } = lpa(['dash', name, '--once'])
    return `${code} ${stderr}`
  }
  expect(wrong('day,enrollments\n', 'agg_course_day.csv')).toMatch(
    /^65 .*has no column course_key.*LPA-DASH-SHAPE/s,
  )
  expect(
    wrong(
      'enrollment_id,learner_key,course_key,attempt,enrolled_date_key,enrolled_at,status,source\ne,1,x1,1,20260101,2026-01-01,a,s\n',
      'fact_enrollment.csv',
    ),
  ).toMatch(/^65 .*holds values of course_key that are no bigint \(1\)/s)
  const head = 'course_key,instructor_key,is_lead\n'
  const quiet = wrong(
    `${head}${'1,1,true\n'.repeat(30_000)}1,Anna Schmidt,true,anna-4711\n`,
    'bridge_course_instructor.csv',
  )
  expect(quiet).toMatch(/^65 .*bridge_course_instructor\.csv.*LPA-DASH-SHAPE/s)
  expect(quiet).not.toMatch(/Anna|4711/)
  const file = openSync(join(folder, 'dim_course_category.parquet'), 'w')
  const sql = `select 'Anna Schmidt' as category_key, 1 as level`
  spawnSync(process.execPath, [ENTRY, 'query', '--sql', sql, '--format', 'parquet', '-q'], {
    cwd: folder,
    stdio: ['ignore', file, 'inherit'],
  })
  closeSync(file)
  const typed = lpa(['dash', 'dim_course_category.parquet', '--once', '-v'])
  expect(typed).toMatchObject({
    code: 65,
    stderr: expect.stringContaining('category_key that are no bigint'),
  })
  expect(typed.stderr).not.toContain('Anna')
  const twice = ['dash', 'core-csv', 'core-csv/fact_enrollment.csv', '--json']
  expect(lpa(twice).stdout).toBe(lpa(['dash', 'core-csv', '--json']).stdout)
  expect(wrong('a\n', 'fact_enrolment.csv')).toMatch(/^2 .*fact_enrollment.*LPA-DASH-FILES/s)
  expect(lpa(['dash', 'exports'])).toMatchObject({
    code: 66,
    stderr: expect.stringContaining('TABLE.parquet'),
  })
  expect(lpa(['dash', 'nowhere'])).toMatchObject({ code: 66 })
  expect(lpa(['dash', 'warehouse'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('warehouse.path'),
  })
})
