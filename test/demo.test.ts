/**
 * `npm run demo` as a newcomer types it: in a copy of what git has, without node_modules, with an empty home folder.
 * Then what it printed is done, and everything it left is searched for the people of the sample.
 */

import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeFixtures } from '../scripts/make-fixtures.ts'
import { ROOT } from '../scripts/oclif-config.ts'
import { openDuckDB, quoteText } from '../src/duckdb.ts'
import { newPlace, removePlaces } from './faults/lpa.ts'
import { Searcher, type Wanted } from './faults/search.ts'
import { type Watch, watchFiles } from './faults/watch.ts'
import { type Typed, typed } from './newcomer.ts'

const { root, tmp } = newPlace('demo')
const HOME = join(root, 'home')
const CHECKOUT = join(root, 'lpa')
const DEMO = join(CHECKOUT, 'demo')

const said: { readonly command: string; readonly stdout: string; readonly stderr: string }[] = []
let watch: Watch
/** Why nothing could be installed, where that is so. */
let notInstalled = ''

async function run(command: string): Promise<Typed> {
  const ran = await typed(command, CHECKOUT, { HOME, TMPDIR: tmp })
  said.push({ command, ...ran })
  return ran
}

/** What git has, and what it would add. */
function copyCheckout(): void {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const { stdout } = spawnSync('git', list, { cwd: ROOT, encoding: 'utf8', maxBuffer: 1e8 })
  for (const file of stdout.split('\0').filter((name) => name !== '' && existsSync(join(ROOT, name))))
    cpSync(join(ROOT, file), join(CHECKOUT, file))
}

/** `$ npm ci   # why`, without the reason. */
function stepsOf({ stderr }: Pick<Typed, 'stderr'>): string[] {
  return [...stderr.matchAll(/^\$ (.*?)(?: {3}#.*)?$/gm)].map(([, command = '']) => command)
}

/** Without what npm prints before it. */
function pictureOf({ stdout }: Pick<Typed, 'stdout'>): string {
  return stdout.slice(stdout.indexOf('  lpa  Overview'))
}

let first: Awaited<ReturnType<typeof run>>

beforeAll(async () => {
  copyCheckout()
  mkdirSync(HOME)
  // Fetching them is the business of extensions-install.test.ts.
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'lpa', 'extensions')
  if (existsSync(cache)) cpSync(cache, join(HOME, '.cache', 'lpa', 'extensions'), { recursive: true })
  watch = watchFiles([tmp, join(DEMO, 'warehouse', 'tmp')], join(root, 'kept'))
  first = await run('npm run demo')
  if (first.code !== 0 && (await run('npm ci')).code !== 0) {
    notInstalled = 'npm can install nothing: neither from its cache nor from a registry'
    rmSync(join(CHECKOUT, 'node_modules'), { recursive: true, force: true })
    spawnSync('cp', ['-al', join(ROOT, 'node_modules'), CHECKOUT])
    first = await run('npm run demo')
  }
}, 240_000)
afterAll(removePlaces)

test('what is missing is installed', (context) => {
  if (notInstalled !== '') context.skip(notInstalled)
  expect(first.stderr).toContain('npm ci: node_modules is missing')
  const { packages } = JSON.parse(readFileSync(join(CHECKOUT, 'node_modules', '.package-lock.json'), 'utf8'))
  expect(packages['node_modules/@duckdb/node-api']).toBeDefined()
})

test('each step is shown as the command that does it', () => {
  expect({ ...first, stdout: '' }).toMatchObject({ code: 0 })
  expect(stepsOf(first)).toEqual([
    ...['npm ci', 'node scripts/fetch-extensions.ts', 'node scripts/build.ts', 'lpa up --sample'],
    ...['lpa init --sample', 'lpa schema apply', 'lpa load', 'lpa batch', 'lpa dash --once'],
  ])
})

test('every good record of the campus is loaded', async () => {
  const { expected } = await makeFixtures(join(root, 'campus'))
  for (const [file, entity, counts] of [
    ['categories.csv', 'course_category', expected.categories],
    ['completions.csv', 'course_completion', expected.completions],
    ['courses.json', 'course', expected.courses],
    ['enrollments.csv', 'enrollment', expected.enrollments],
    ['events.ndjson.gz', 'learning_event', expected.events],
    ['instructors.csv', 'instructor', expected.instructors],
    ['learners.csv', 'learner', expected.learners],
  ] as const)
    expect(first.stderr).toContain(`exports/${file}: ${counts.good} of ${counts.rows} records as ${entity}\n`)
  const { rows } = expected.xapi
  expect(first.stderr).toContain(
    `exports/xapi-statements.ndjson.gz: ${rows} of ${rows} records as learning_event\n`,
  )
})

test('the dashboard shows how many are enrolled in each course', () => {
  const lines = pictureOf(first).trimEnd().split('\n')
  expect(lines.length).toBeLessThanOrEqual(24)
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80)
  expect(first.stdout).toContain('╭ Enrollments/day')
  expect(first.stdout).toContain('╭ Completions/day')
  const enrolled = enrolledByCourse()
  const courses = JSON.parse(readFileSync(join(DEMO, 'exports', 'courses.json'), 'utf8'))
  const largest = [...new Map(courses.map((course: Course) => [course.course_id, course])).values()]
    .map((course) => ({
      title: (course as Course).course_title,
      of: enrolled.get((course as Course).course_id),
    }))
    .sort((a, b) => (b.of ?? 0) - (a.of ?? 0))
    .slice(0, 10)
  for (const { title, of } of largest) {
    // A long title is cut.
    const row = lines.find((line) => line.startsWith(`  ${title.slice(0, 25)}`))
    expect(row, title).toMatch(new RegExp(` ${of} +\\d+ +\\d+\\.\\d% `))
  }
})

interface Course {
  readonly course_id: string
  readonly course_title: string
}

/** Distinct learners of the good rows, by course; read here, without lpa. */
function enrolledByCourse(): Map<string, number> {
  const [header, ...rows] = readFileSync(join(DEMO, 'exports', 'enrollments.csv'), 'utf8')
    .trimEnd()
    .split('\n')
  const width = header?.split(',').length
  const learners = new Map<string, Set<string>>()
  for (const row of rows) {
    const cells = row.split(',')
    const [, learner = '', course = '', at = '', status = '', , , price = ''] = cells
    const isGood = learner !== '' && !Number.isNaN(Date.parse(at)) && !Number.isNaN(Number(price))
    if (cells.length !== width || !isGood || !/^(active|completed|withdrawn)$/.test(status)) continue
    learners.set(course, (learners.get(course) ?? new Set()).add(learner))
  }
  return new Map([...learners].map(([course, { size }]) => [course, size]))
}

test('what it says to try next works, typed as it is printed', async () => {
  const [, next = ''] = first.stderr.split('\nNext:\n')
  const commands = [...next.matchAll(/^ {2}(lpa .*?)(?: {2,}.*)?$/gm)].map(([, command = '']) => command)
  expect(commands.length).toBeGreaterThanOrEqual(3)
  const enter = /^ {2}(export PATH=.*)$/m.exec(next)?.[1]
  for (const command of [...commands, 'lpa dash --once']) {
    const ran = await run(`${enter}\n${command}`)
    expect(ran, command).toMatchObject({ code: 0 })
    expect(ran.stdout, command).not.toBe('')
  }
})

test('run again, it skips what is there and shows the same', async () => {
  const again = await run('npm run demo')
  expect(again.code).toBe(0)
  expect(pictureOf(again)).toBe(pictureOf(first))
  expect(stepsOf(again)).toEqual(stepsOf(first))
  expect(again.stderr.replaceAll(/^Done in.*/gm, '')).not.toMatch(/created|records as|built dist/)
  const answers = ['all there', 'dist/ is up to date', 'nothing to make', 'the schema is up to date']
  for (const answer of [...answers, 'core holds every load already, nothing changed'])
    expect(again.stderr).toContain(`${answer}\n`)
  expect(again.stderr.match(/^exports\/.*: loaded before, nothing changed$/gm)).toHaveLength(8)
})

test('nothing of it names a person, but what was given', async () => {
  watch.stop()
  // Planted where it cannot be seen by bytes: in a compressed column of one more file of the warehouse.
  const [, row = ''] = readFileSync(join(DEMO, 'exports', 'learners.csv'), 'utf8').split('\n')
  const email = row.split(',')[3] as string
  const planted = join(DEMO, 'warehouse', 'data', 'planted.parquet')
  {
    await using database = await openDuckDB({ memoryLimit: '300MB', spillFolder: '', timezone: 'UTC' })
    await database.connection.run(
      `copy (select ${quoteText(email)} || (i % 3) as note from range(9000) t(i)) to ${quoteText(planted)} (format parquet, compression zstd)`,
    )
  }
  expect(await search()).toContain('email as text in warehouse/data/planted.parquet: values of note')
  rmSync(planted)
  expect(await search()).toEqual([])
})

/** Everything that was written and said since the checkout, but the checkout itself, its packages and the exports. */
async function search(): Promise<string[]> {
  const searcher = new Searcher(people())
  for (const { command, stdout, stderr } of said)
    searcher.text(`${stdout}${stderr}`, `what ${command} printed`)
  for (const folder of [HOME, tmp, join(root, 'kept'), join(CHECKOUT, 'dist')]) await searcher.folder(folder)
  await searcher.folder(DEMO, (path) => /^(exports|pseudonym\.key)(\/|$)/.test(path))
  expect(searcher.bytesRead).toBeGreaterThan(5e6)
  return searcher.found.map(({ what, where }) => `${what} in ${where}`)
}

/** Names, addresses and ids as learners.csv has them. */
function people(): Wanted[] {
  const [, ...rows] = readFileSync(join(DEMO, 'exports', 'learners.csv'), 'utf8')
    .trimEnd()
    .split('\n')
  return rows.flatMap((row) => {
    const [id = '', firstName = '', lastName = '', email = ''] = row.split(',')
    return [
      { kind: 'learner_id', value: id },
      { kind: 'name', value: `${firstName} ${lastName}` },
      { kind: 'email', value: email },
    ]
  })
}
