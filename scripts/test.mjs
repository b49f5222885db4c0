// npm test: installs what is missing, checks, builds, tests; the last line is "N passed, N failed[, N skipped]".
//   (nothing)  everything          --fast    the checks and the tests beside the code
//   --checks   the checks only     --golden  rewrites golden files
//   --faults   more rounds of kill -9, and what needs strace or a disk of its own; --quick: some of them, in minutes
// Further arguments go to vitest, which then runs alone: npm test -- src/config.test.ts

import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { binOf, environment, install, nodePath, ROOT } from './house.mjs'

const MODES = ['--fast', '--checks', '--golden', '--faults']
const mode = MODES.find((flag) => process.argv.includes(flag))
const isQuick = mode === '--faults' && process.argv.includes('--quick')
const rest = process.argv
  .slice(2)
  .filter((argument) => argument !== mode && !(isQuick && argument === '--quick'))

install()
const node = nodePath()
const total = { passed: 0, failed: 0, skipped: 0 }

if (rest.length === 0 && (mode === undefined || mode === '--fast' || mode === '--checks')) runChecks()
if (mode !== '--checks') runTests()

const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : ''
console.log(`${total.passed} passed, ${total.failed} failed${skipped}`)
process.exitCode = total.failed > 0 ? 1 : 0

function runChecks() {
  check('lint', [binOf('biome', '@biomejs/biome'), 'check', '--error-on-warnings'])
  check('types', [binOf('tsc', 'typescript'), '--noEmit', '-p', '.'])
  check('dead code', [binOf('knip')])
  check('import arrows', ['scripts/check-imports.ts'])
  check('SQL outside .sql files', ['scripts/check-sql-in-typescript.ts'])
  check('SQL lint', ['scripts/lint-sql.ts'])
  check('build', ['scripts/build.ts'])
}

/** One check counts as one test. */
function check(name, args) {
  const started = Date.now()
  const { status, stdout, stderr } = spawnSync(node, args, {
    cwd: ROOT,
    env: environment(),
    encoding: 'utf8',
  })
  const seconds = ((Date.now() - started) / 1000).toFixed(1)
  if (status === 0) total.passed++
  else total.failed++
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`)
  if (status !== 0) console.log(`${stdout}${stderr}`)
}

function runTests() {
  const file = join(ROOT, 'node_modules', '.cache', `lpa-tests-${process.pid}.json`)
  mkdirSync(join(file, '..'), { recursive: true })
  const { status } = spawnSync(
    node,
    [
      binOf('vitest'),
      'run',
      // Before another option: a file name after it would be taken for its value.
      ...(mode === '--golden' ? ['--update'] : []),
      '--reporter=default',
      `--reporter=${join(ROOT, 'scripts', 'summary-reporter.ts')}`,
      ...(mode === '--fast' ? ['--project=fast'] : []),
      ...(mode === '--faults' ? faultTests() : []),
      ...rest,
    ],
    {
      cwd: ROOT,
      stdio: 'inherit',
      env: environment({
        LPA_TEST_SUMMARY: file,
        ...(mode === '--golden' ? { UPDATE_GOLDEN: '1' } : {}),
        ...(mode === '--faults' ? { LPA_FAULTS: isQuick ? 'quick' : 'full' } : {}),
      }),
    },
  )
  const summary = readSummary(file)
  for (const line of summary.skipped) console.log(`skipped: ${line}`)
  total.passed += summary.passed
  total.skipped += summary.skipped.length
  // vitest may end badly without a failed test, for example when it finds none.
  total.failed += status === 0 ? summary.failed : Math.max(summary.failed, 1)
}

/** The tests that do more with LPA_FAULTS=full; with --quick those that end commands and fill disks. */
function faultTests() {
  if (isQuick) return ['test/kill.test.ts', 'test/disk.test.ts']
  const folder = join(ROOT, 'test')
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.test.ts'))
    .filter((name) => /from '\.[./]*\/faults\//.test(readFileSync(join(folder, name), 'utf8')))
    .map((name) => `test/${name}`)
}

function readSummary(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return { passed: 0, failed: 1, skipped: [] }
  } finally {
    rmSync(file, { force: true })
  }
}
