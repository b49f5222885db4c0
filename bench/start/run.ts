/**
 * How long lpa takes to start, beside a bare Node and beside a minimal script that answers the same report.
 *
 * usage: npm run bench:start -- [ROUNDS]     (default 15)
 * Each round runs all in turn; ratios are of the same round, and the median is printed. Wall and CPU time.
 */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildWhenStale } from '../../scripts/build.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const rounds = Number(process.argv[2] ?? 15)
const work = mkdtempSync(join(tmpdir(), 'lpa-bench-'))
const lpa = join(ROOT, 'bin', 'run.js')

interface Measured {
  readonly wall: number
  readonly cpu: number
}

/** CPU seconds of finished children, from the shell that ran them. */
function run(args: readonly string[]): Measured {
  const times = join(work, 'times')
  const started = performance.now()
  const { status, stderr } = spawnSync(
    'bash',
    [
      '-c',
      `TIMEFORMAT='%U %S'; { time "$@" >/dev/null 2>"$ERR"; } 2>"$TIMES"`,
      'bench',
      process.execPath,
      ...args,
    ],
    { cwd: work, encoding: 'utf8', env: { ...process.env, TIMES: times, ERR: join(work, 'err') } },
  )
  const wall = performance.now() - started
  if (status !== 0)
    throw new Error(`${args.join(' ')}: exit ${status} ${stderr} ${readFileSync(join(work, 'err'), 'utf8')}`)
  const [user = 0, system = 0] = readFileSync(times, 'utf8').trim().split(' ').map(Number)
  return { wall, cpu: (user + system) * 1000 }
}

await buildWhenStale()
writeFileSync(join(work, 'empty.mjs'), '')
run([lpa, 'up', '--sample', '-q'])
const warehouse = join(work, 'warehouse')
const minimal = join(ROOT, 'bench', 'start', 'minimal-query.ts')
const cases: readonly {
  readonly name: string
  readonly args: readonly string[]
  readonly against: string
  readonly goal: number
}[] = [
  { name: 'bare node', args: ['empty.mjs'], against: 'bare node', goal: 1 },
  { name: 'lpa --version', args: [lpa, '--version'], against: 'bare node', goal: 1.6 },
  { name: 'lpa query --list', args: [lpa, 'query', '--list'], against: 'bare node', goal: 5 },
  { name: 'lpa load --help', args: [lpa, 'load', '--help'], against: 'bare node', goal: 5 },
  { name: 'minimal script', args: [minimal, warehouse, 'funnel'], against: 'minimal script', goal: 1 },
  { name: 'lpa query funnel', args: [lpa, 'query', 'funnel', '--json'], against: 'minimal script', goal: 2 },
]
const measured = new Map<string, Measured[]>(cases.map(({ name }) => [name, []]))
// The first round warms the caches and does not count.
for (let round = 0; round <= rounds; round += 1) {
  for (const { name, args } of cases) {
    const one = run(args)
    if (round > 0) measured.get(name)?.push(one)
  }
}
const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
const lines = ['| | wall ms | CPU ms | ÷ | wall ratio | CPU ratio | goal |', '|---|---|---|---|---|---|---|']
for (const { name, against, goal } of cases) {
  const own = measured.get(name) ?? []
  const other = measured.get(against) ?? []
  const ratio = (key: keyof Measured) =>
    median(own.map((one, index) => one[key] / (other[index]?.[key] ?? Number.NaN)))
  const cells = [
    name,
    median(own.map((one) => one.wall)).toFixed(0),
    median(own.map((one) => one.cpu)).toFixed(0),
    against,
  ]
  lines.push(`| ${[...cells, ratio('wall').toFixed(2), ratio('cpu').toFixed(2), goal].join(' | ')} |`)
}
process.stdout.write(`median of ${rounds} rounds\n\n${lines.join('\n')}\n`)
rmSync(work, { recursive: true, force: true })
