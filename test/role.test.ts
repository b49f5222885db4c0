/** lpa as a role: what it answers, refuses and records, on a sample campus. */

import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { SCREENS } from '../src/dash/screens/index.ts'
import { recordsOf } from '../src/pipeline/ledger.ts'
import { runReport } from '../src/pipeline/report.ts'
import { readAs } from '../src/pipeline/role.ts'
import { generateCampus } from '../src/pipeline/sample/campus.ts'
import { withWarehouse } from '../src/pipeline/warehouse.ts'
import { breakOuts } from '../src/policy/access.test-support.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const ENTRY = join(ROOT, 'bin', 'run.js')
const ROLES = ['lpa_dashboard', 'lpa_instructor', 'lpa_analyst', 'lpa_engineer', 'lpa_admin']

let folder: string

function lpa(args: readonly string[], env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [ENTRY, ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: process.env.HOME, LANG: 'C.UTF-8', ...env },
  })
  return { code: status, stdout, stderr }
}

/** What must work; its rows as JSON. */
function rows(args: readonly string[], env: Record<string, string> = {}): Record<string, unknown>[] {
  const { code, stdout, stderr } = lpa([...args, '--json'], env)
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout)
}

const answered = new Map<string, Record<string, unknown>[]>()

/** What a report answers the owner, or a role, in this process: asked once. */
async function answer(
  report: string,
  role?: string,
  params: Record<string, string> = {},
): Promise<Record<string, unknown>[]> {
  const key = `${report} ${role} ${JSON.stringify(params)}`
  const known = answered.get(key)
  if (known) return known
  const config = loadConfig({ cwd: folder, env: { LPA_EXTENSIONS: process.env.LPA_EXTENSIONS } })
  const result = await withWarehouse(
    ...([config, 'confined', new AbortController().signal] as const),
    (engine) => runReport(engine, config, report, params),
    role === undefined ? {} : readAs(config, role),
  )
  const objects = recordsOf(result).map((record) => JSON.parse(JSON.stringify(record)))
  answered.set(key, objects)
  return objects
}

const dashboardRows = (report: string, params?: Record<string, string>) =>
  answer(report, 'lpa_dashboard', params)

const as = (role: string, sql: string) => lpa(['query', '--role', role, '--sql', sql])

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-role-'))
  writeFileSync(join(folder, 'pseudonym.key'), `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 })
  writeFileSync(
    join(folder, 'lpa.toml'),
    '[security]\nuser = "nora"\n[sources.campus]\nuri = "exports/*"\n[sources.other]\nuri = "none"\n',
  )
  await generateCampus(join(folder, 'exports'), { learners: 200, events: 3000, seed: 3, badRows: 0.005 })
  for (const words of [['schema', 'apply'], ['load', 'campus', '--max-rejects', '5%'], ['batch']])
    expect(lpa([...words, '-q'])).toMatchObject({ code: 0 })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('has no roles before a policy was applied', () => {
  const { code, stderr } = as('lpa_analyst', 'select 1')
  expect(code).toBe(78)
  expect(stderr).toContain('LPA-ROLE-NONE')
  expect(stderr).toContain('lpa grant apply')
  const nowhere = lpa(['query', 'funnel', '--role', 'lpa_analyst'], { LPA_WAREHOUSE_PATH: 'nowhere' })
  expect(nowhere.stderr).toContain('LPA-WAREHOUSE-MISSING')
  expect(nowhere.stderr).not.toContain('not recorded')
})

it('has those of the policy that was applied, which names its users', () => {
  const [instructor] = rows([
    'query',
    '--sql',
    'select instructor_id from course c join dim_instructor i on i.instructor_key = c.instructor_key order by 1 limit 1',
  ])
  cpSync(join(ROOT, 'security'), join(folder, 'security'), { recursive: true })
  writeFileSync(
    join(folder, 'security', 'users.yaml'),
    `users: { nora: { roles: [${ROLES}], attributes: { region: ["*"], instructor_id: [${instructor?.instructor_id}] } }, otto: { roles: [lpa_analyst] } }`,
  )
  expect(lpa(['grant', 'apply', '-q'])).toMatchObject({ code: 0 })
  expect(as('lpa_analyst', 'select count(*) from fact_enrollment').code).toBe(0)
  expect(as('lpa_analist', 'select 1')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/Did you mean lpa_analyst\?.*lpa grant apply/s),
  })
})

it('gives a role to who has it', () => {
  expect(lpa(['query', 'funnel', '--role', 'lpa_admin'], { LPA_SECURITY_USER: 'otto' })).toMatchObject({
    code: 77,
    stderr: expect.stringContaining('The policy gives otto: lpa_analyst.'),
  })
})

it('says when a row rule leaves a user nothing', () => {
  const { code, stderr } = lpa(['query', 'funnel', '--role', 'lpa_analyst'], { LPA_SECURITY_USER: 'otto' })
  expect(code).toBe(0)
  expect(stderr).toContain('otto has no region in the policy')
})

it('answers nobody whose role is set to nothing', () => {
  for (const words of [
    ['query', 'funnel'],
    ['dash', '--once'],
  ]) {
    expect(lpa(words, { LPA_ROLE: '' })).toMatchObject({
      ...{ code: 78, stdout: '' },
      stderr: expect.stringContaining('LPA-ROLE-EMPTY'),
    })
    expect(lpa([...words, '--role', ''])).toMatchObject({ code: 2, stdout: '' })
  }
})

it('takes the role of LPA_ROLE too', () => {
  const { code, stderr } = lpa(['query', '--sql', 'select * from meta.runs'], { LPA_ROLE: 'lpa_analyst' })
  expect({ code, stderr }).toMatchObject({
    code: 77,
    stderr: expect.stringContaining('the role lpa_analyst may not read it'),
  })
})

it('shows names and traits to some roles only', () => {
  const names = (role: string) =>
    rows([
      'query',
      '--role',
      role,
      '--sql',
      'select distinct display_name from dim_instructor where instructor_key <> 0',
    ]).map((row) => row.display_name)
  expect(names('lpa_analyst')).toEqual(['***'])
  expect(names('lpa_engineer').length).toBeGreaterThan(1)
  const countries = (role: string) =>
    rows([
      'query',
      '--role',
      role,
      '--sql',
      'select distinct country from learner where learner_key <> 0',
    ]).map((row) => row.country)
  expect(countries('lpa_instructor')).toEqual([null])
  expect(countries('lpa_analyst').length).toBeGreaterThan(1)
})

it.each([
  ['--at', ['query', 'funnel', '--role', 'lpa_analyst', '--at', '3'], 2],
  ['--write', ['query', '--sql', 'delete from fact_enrollment', '--write', '--role', 'lpa_analyst'], 2],
  ['EXPLAIN', ['query', '--sql', 'select 1', '--explain', '--role', 'lpa_analyst'], 77],
  ['a column that is not there', ['query', '--sql', 'select nope from course', '--role', 'lpa_analyst'], 2],
  ['SQL of a small-cell role', ['query', '--sql', 'select 1', '--role', 'lpa_dashboard'], 77],
  ['Parquet of a small-cell role', ['query', 'funnel', '--format', 'parquet', '--role', 'lpa_dashboard'], 77],
  ['learners to a small-cell role', ['query', 'at-risk', '--role', 'lpa_dashboard'], 77],
  ['plain files', ['dash', 'exports', '--once', '--role', 'lpa_dashboard'], 2],
])('refuses %s', (_, args, code) => {
  expect(lpa(args).code).toBe(code)
})

it('refuses attempts to see more, of ten kinds', () => {
  const oneEach = new Map(breakOuts().map(({ kind, sql }) => [kind, sql]))
  const typed = [...oneEach.values()].filter((sql) => !sql.includes('{')).slice(0, 10)
  expect(typed).toHaveLength(10)
  for (const sql of typed) {
    const { code, stdout } = as('lpa_analyst', sql)
    expect([sql, code === 77 || code === 2, stdout]).toEqual([sql, true, ''])
  }
})

/** What names the rows of reports. */
const TEXTS = ['course_id', 'day', 'path', 'cohort', 'step', 'activity_id']

describe('small cells', () => {
  const small = (row: Record<string, unknown>, columns: readonly string[]) =>
    columns.filter((name) => typeof row[name] === 'number' && row[name] > 0 && row[name] < 10)

  it.each([
    ['enrollments', ['enrollments', 'week_before']],
    ['completions', ['completions', 'passed', 'week_before']],
    ['daily', ['enrollments', 'completions', 'active_learners']],
    ['active-learners', ['dau', 'wau', 'mau_28_days']],
    ['course-table', ['enrolled', 'completed', 'new_enrollments', 'enrollments_before']],
    ['course-ranking', ['learners', 'completed']],
    ['completion-rate', ['enrolled', 'viewed', 'explored', 'completed']],
    ['time-to-completion', ['enrolled', 'completed', 'withdrawn', 'still_open']],
    ['reconciliation', ['roster', 'events', 'matched', 'only_roster', 'only_events']],
    ['drop-off', ['reached', 'last_here', 'dropped']],
    ['category-rollup', ['enrollments', 'learners', 'pairs', 'completed']],
    ['retention', ['learners']],
    ['time-on-task', ['learners']],
    ['funnel', ['pairs']],
  ])('are left out of %s', async (report, columns) => {
    const own = await answer(report)
    const seen = await dashboardRows(report)
    expect(seen.length).toBe(own.length)
    expect(seen.flatMap((row) => small(row, columns))).toEqual([])
    // What is there is what it was, though rows that have something left out may be further down.
    for (const row of seen) {
      const before = own.filter((one) => TEXTS.every((name) => one[name] === row[name]))
      expect(before.length).toBe(1)
      for (const [name, value] of Object.entries(row))
        if (value !== null) expect(value).toEqual(before[0]?.[name])
    }
  })

  it('are in no sum over days of which one is left out', async () => {
    const glance = await dashboardRows('overview', { days: '28' })
    const newest = (await dashboardRows('daily')).slice(-28)
    for (const kpi of ['enrollments', 'completions', 'events'])
      if (newest.filter((day) => day[kpi] === null).length === 1)
        expect(glance.find((row) => row.kpi === kpi)).toMatchObject({ value: null })
    const seen = glance.filter(({ kpi }) => kpi !== 'completion_rate')
    expect(seen.flatMap((row) => small(row, ['value', 'previous']))).toEqual([])
  })

  it('leave book-keeping as it is', async () => {
    for (const report of ['loads', 'freshness', 'checks', 'rejects'])
      expect(await dashboardRows(report)).toEqual(await answer(report))
  })

  it('are left out of what lpa query prints, which says so', async () => {
    expect(rows(['query', 'completion-rate', '--role', 'lpa_dashboard'])).toEqual(
      await dashboardRows('completion-rate'),
    )
    const { stderr } = lpa(['query', 'daily', '--role', 'lpa_dashboard'])
    expect(stderr).toMatch(/\d+ values are left out: they would tell of fewer than 10 learners\./)
  })

  it('are in no chart', async () => {
    const chart = lpa(['query', 'time-on-task', '--role', 'lpa_dashboard', '--format', 'chart'])
    expect(chart.code).toBe(0)
    const few = (await answer('time-on-task')).filter(({ learners }) => Number(learners) < 10)
    for (const { course_title: title, hours_long: hours } of few)
      expect(chart.stdout).not.toMatch(new RegExp(`${title}.*${hours}`))
  })
})

/** Reports that are asked for as many of the newest days as the screen has. */
const OF_DAYS = new Set(['overview', 'course-table'])

describe('the dashboard', () => {
  it.each(SCREENS.map(({ name }) => name))(
    'shows %s to a small-cell role without small cells',
    async (screen) => {
      const { code, stdout } = lpa(['dash', '--screen', screen, '--role', 'lpa_dashboard', '--json'])
      expect(code).toBe(0)
      for (const [report, panel] of Object.entries(JSON.parse(stdout) as Record<string, unknown[]>)) {
        if (report === 'stream-status') continue
        if (report === 'at-risk') expect(panel).toEqual([])
        // Each panel is what the report answers that role.
        else expect(panel).toEqual(await dashboardRows(report, OF_DAYS.has(report) ? { days: '28' } : {}))
      }
      const picture = lpa(['dash', '--screen', screen, '--role', 'lpa_dashboard', '--once'])
      expect(picture.code).toBe(0)
      if (screen === 'learners') expect(picture.stdout).toContain('Not permitted')
      if (screen === 'enrollments') expect(picture.stdout).toContain('Too few learners: ')
    },
  )

  it('shows an instructor the own courses', () => {
    const mine = (args: readonly string[]) => new Set(rows(args).map((row) => row.course_id))
    const own = mine(['query', '--role', 'lpa_instructor', '--sql', 'select course_id from course'])
    const all = mine(['query', '--sql', 'select course_id from course where course_key <> 0'])
    expect(own.size).toBeGreaterThan(0)
    expect(own.size).toBeLessThan(all.size)
    for (const screen of SCREENS.map(({ name }) => name)) {
      const { stdout } = lpa(['dash', '--screen', screen, '--role', 'lpa_instructor', '--json'])
      const panels = Object.values(JSON.parse(stdout) as Record<string, Record<string, unknown>[]>).flat()
      const shown = panels.flatMap(({ course_id: id }) =>
        id === undefined || id === null || id === 'All courses' ? [] : [id],
      )
      for (const id of shown) expect(own).toContain(id)
    }
  })

  it('keeps nothing that a role was shown', () => {
    rmSync(join(folder, 'warehouse', 'results'), { recursive: true, force: true })
    lpa(['dash', '--once', '--role', 'lpa_instructor'])
    expect(existsSync(join(folder, 'warehouse', 'results'))).toBe(false)
  })

  it('exports what the role sees, and says what it may not', () => {
    const words = (...more: string[]) => ['dash', '--role', 'lpa_dashboard', ...more]
    expect(lpa(words('--screen', 'courses', '--export', 'own.csv')).code).toBe(0)
    expect(readFileSync(join(folder, 'own.csv'), 'utf8')).toContain('completion_percent')
    for (const more of [
      ['--export', 'none.csv'],
      ['--format', 'csv'],
    ])
      expect(lpa(words('--screen', 'learners', ...more))).toMatchObject({ code: 77, stdout: '' })
    expect(existsSync(join(folder, 'none.csv'))).toBe(false)
    const told = lpa(words('--screen', 'learners', '--json')).stderr
    expect(told).toContain('at-risk: Not permitted')
    expect(told).toContain('retention: Too few learners: ')
  })
})

describe('--reveal', () => {
  const reveal = (...more: string[]) => ['query', 'at-risk', '--reveal', 'roster.csv:student_no', ...more]

  beforeAll(() => {
    const [file = ''] = globSync('exports/learners*', { cwd: folder })
    const [head = '', ...lines] = readFileSync(join(folder, file), 'utf8').trim().split('\n')
    const place = head.split(',').indexOf('learner_id')
    expect(place).toBeGreaterThanOrEqual(0)
    const ids = lines.map((line) => line.split(',')[place])
    writeFileSync(
      join(folder, 'roster.csv'),
      `\uFEFFname;student_no\r\n${ids.map((id) => `x;" ${id}"`).join('\r\n')}\r\n`,
    )
  })

  it('says who learners are, by the ids of the roster', () => {
    const found = rows(reveal('--id-space', 'campus', '--role', 'lpa_instructor'))
    expect(found.length).toBeGreaterThan(0)
    expect(found.filter(({ student_no: id }) => id !== null).length).toBeGreaterThan(0)
    for (const { student_no: id } of found)
      if (id !== null) expect(readFileSync(join(folder, 'roster.csv'), 'utf8')).toContain(String(id))
    // The owner, who has the key, is shown the same learners and more.
    expect(
      rows(reveal('--id-space', 'campus')).filter(({ student_no: id }) => id !== null).length,
    ).toBeGreaterThan(found.length)
    // The table has them too.
    expect(lpa(reveal('--id-space', 'campus')).stdout).toContain('student_no')
  })

  it('names nobody with the ids of another source', () => {
    expect(rows(reveal('--id-space', 'other')).filter(({ student_no: id }) => id !== null)).toEqual([])
  })

  it.each([
    ['without an id space where there are two', reveal(), 2, 'There are: campus, other.'],
    ['by an id space that is not there', reveal('--id-space', 'campos'), 2, 'Did you mean campus?'],
    ['in a file', reveal('--id-space', 'campus', '--format', 'parquet'), 2, 'not written to a file'],
    ['of a report that names none', ['query', 'funnel', '--reveal', 'roster.csv:student_no'], 2, 'at-risk'],
    [
      'by a column that is not there',
      ['query', 'at-risk', '--id-space', 'campus', '--reveal', 'roster.csv:student_nr'],
      2,
      'Did you mean student_no?',
    ],
    [
      'by a file that is not there',
      ['query', 'at-risk', '--id-space', 'campus', '--reveal', 'r.csv:student_no'],
      66,
      'r.csv',
    ],
    ['to a role that may not', reveal('--id-space', 'campus', '--role', 'lpa_analyst'), 77, 'may_reveal'],
  ])('is refused %s', (_, args, code, said) => {
    expect(lpa(args)).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(said) })
  })

  it('leaves no clear id in the warehouse', () => {
    const [, id = ''] = /" (\S+)"/.exec(readFileSync(join(folder, 'roster.csv'), 'utf8')) ?? []
    for (const file of globSync('warehouse/**/*', { cwd: folder, withFileTypes: true })) {
      if (file.isFile()) expect(readFileSync(join(file.parentPath, file.name)).includes(id)).toBe(false)
    }
  })
})

it('exports what a role may see, and records who did', () => {
  const ran = lpa([
    'export',
    'seen',
    '--role',
    'lpa_analyst',
    '--select',
    'dim_instructor',
    '--format',
    'csv',
  ])
  expect(ran).toMatchObject({ code: 0, stdout: '' })
  const [head, ...people] = readFileSync(join(folder, 'seen', 'dim_instructor.csv'), 'utf8')
    .trim()
    .split('\n')
  const place = head?.split(',').indexOf('display_name') ?? -1
  expect(new Set(people.map((line) => line.split(',')[place]))).toEqual(new Set(['***']))
  const [run] = rows(['query', '--sql', "select * from meta.runs where command = 'export'"])
  expect(run).toMatchObject({ role: 'lpa_analyst', exit_code: 0 })
  expect(run?.summary).toMatch(
    /rows of 1 table of version \d+, in seen; asked by nora as lpa_analyst of core\.dim_instructor$/,
  )
  expect(lpa(['export', 'counts', '--role', 'lpa_dashboard'])).toMatchObject({ code: 77, stdout: '' })
  expect(existsSync(join(folder, 'counts'))).toBe(false)
})

it('records who asked what as which role', () => {
  const runs = rows([
    'query',
    '--sql',
    "select command, arguments, role, exit_code, summary from meta.runs where command in ('query', 'dash') order by started_at",
  ])
  const of = (summary: RegExp) => runs.filter((run) => summary.test(String(run.summary)))
  expect(new Set(runs.map(({ role }) => role))).toEqual(
    new Set([null, ...ROLES.slice(0, 4), 'lpa_analist', 'lpa_admin']),
  )
  // Of the owner's questions only those that reveal.
  for (const run of runs)
    if (run.role === null) expect(run.summary).toBe('reveals learners of at-risk; asked by nora')
  expect(of(/reveals learners/).map(({ arguments: words }) => words)).toContain(
    'at-risk --reveal … --id-space campus',
  )
  // Recorded before it was refused, and mended then.
  expect(of(/LPA-ROLE-REVEAL/)).toMatchObject([{ exit_code: 77, role: 'lpa_analyst' }])
  expect(of(/reveals learners/).map(({ role }) => role)).not.toContain('lpa_analyst')
  expect(of(/LPA-QUERY-REFUSED/)[0]).toMatchObject({ exit_code: 77, arguments: '--sql …' })
  expect(of(/asked by nora as lpa_analyst$/).length).toBeGreaterThan(0)
  const ofSql = runs.filter(
    ({ arguments: words, exit_code: code }) => /--sql/.test(String(words)) && code === 0,
  )
  expect(ofSql.length).toBeGreaterThan(0)
  for (const { summary } of ofSql) expect(summary).toMatch(/asked by nora as \w+ of (core|staging|meta)\.\w+/)
  expect(runs.some(({ command, role }) => command === 'dash' && role === 'lpa_instructor')).toBe(true)
})
