/**
 * How long lpa takes to start, beside a bare Node and beside a minimal script that answers the same report; then every
 * command, when it tells of itself and when it has nothing to do, beside a bare Node.
 *
 * usage: npm run bench:start -- [ROUNDS]     (default 15; of every command a third of them)
 * Each round runs all in turn; ratios are of the same round, and the median is printed. Wall and CPU time.
 */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildWhenStale } from '../../scripts/build.ts'
import { EXIT } from '../../src/errors.ts'
import { markdown, median } from '../numbers.ts'
import { NO_OPS } from './no-ops.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const rounds = Number(process.argv[2] ?? 15)
const work = mkdtempSync(join(tmpdir(), 'lpa-bench-'))
const lpa = join(ROOT, 'bin', 'run.js')

interface Measured {
  readonly wall: number
  readonly cpu: number
}

/** `findings` is no failure of a command. CPU time is that of finished children, from the shell that ran them. */
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
  if (status !== EXIT.done && status !== EXIT.findings)
    throw new Error(`${args.join(' ')}: exit ${status} ${stderr} ${readFileSync(join(work, 'err'), 'utf8')}`)
  const [user = 0, system = 0] = readFileSync(times, 'utf8').trim().split(' ').map(Number)
  return { wall, cpu: (user + system) * 1000 }
}

interface Case {
  readonly name: string
  readonly args: readonly string[]
}

/** Each in turn; the first round warms the caches and does not count. */
function measure(cases: readonly Case[], rounds: number): ReadonlyMap<string, readonly Measured[]> {
  const measured = new Map<string, Measured[]>(cases.map(({ name }) => [name, []]))
  for (let round = 0; round <= rounds; round += 1) {
    for (const { name, args } of cases) {
      const one = run(args)
      if (round > 0) measured.get(name)?.push(one)
    }
  }
  return measured
}

const medianOf = (runs: readonly Measured[], key: keyof Measured) =>
  median(runs.map((one) => one[key])).toFixed(0)
const ratioOf = (runs: readonly Measured[], others: readonly Measured[], key: keyof Measured) =>
  median(runs.map((one, round) => one[key] / (others[round]?.[key] ?? Number.NaN))).toFixed(2)

const BARE = { name: 'bare node', args: ['empty.mjs'] }

function goals(): string {
  const warehouse = join(work, 'warehouse')
  const minimal = join(ROOT, 'bench', 'start', 'minimal-query.ts')
  const cases = [
    { ...BARE, against: 'bare node', goal: 1 },
    { name: 'lpa --version', args: [lpa, '--version'], against: 'bare node', goal: 1.6 },
    { name: 'lpa query --list', args: [lpa, 'query', '--list'], against: 'bare node', goal: 5 },
    { name: 'lpa load --help', args: [lpa, 'load', '--help'], against: 'bare node', goal: 5 },
    { name: 'minimal script', args: [minimal, warehouse, 'funnel'], against: 'minimal script', goal: 1 },
    {
      name: 'lpa query funnel',
      args: [lpa, 'query', 'funnel', '--json'],
      against: 'minimal script',
      goal: 2,
    },
  ]
  const measured = measure(cases, rounds)
  const rows = cases.map(({ name, against, goal }) => {
    const [own = [], others = []] = [measured.get(name), measured.get(against)]
    const ratios = [ratioOf(own, others, 'wall'), ratioOf(own, others, 'cpu')]
    return [name, medianOf(own, 'wall'), medianOf(own, 'cpu'), against, ...ratios, goal]
  })
  return markdown([['', 'wall ms', 'CPU ms', '÷', 'wall ratio', 'CPU ratio', 'goal'], ...rows])
}

function everyCommand(rounds: number): string {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'oclif.manifest.json'), 'utf8'))
  const names = Object.keys(manifest.commands).map((id) => id.replaceAll(':', ' '))
  const help = (name: string): Case => ({ name: `${name} --help`, args: [lpa, ...name.split(' '), '--help'] })
  const noOp = (name: string): Case => ({ name, args: [lpa, ...(NO_OPS[name] ?? [])] })
  const measured = measure(
    [BARE, ...names.map(help), ...names.filter((name) => name in NO_OPS).map(noOp)],
    rounds,
  )
  const bare = measured.get(BARE.name) ?? []
  const cells = (runs: readonly Measured[]) => [
    medianOf(runs, 'wall'),
    ratioOf(runs, bare, 'wall'),
    ratioOf(runs, bare, 'cpu'),
  ]
  const rows = names.map((name) => {
    const nothing = NO_OPS[name]?.join(' ') ?? ''
    return [
      name,
      ...cells(measured.get(`${name} --help`) ?? []),
      nothing,
      ...(nothing ? cells(measured.get(name) ?? []) : ['', '', '']),
    ]
  })
  const ratios = ['÷ bare node', 'of CPU']
  return markdown([['', '--help, ms', ...ratios, 'nothing to do', 'ms', ...ratios], ...rows])
}

await buildWhenStale()
writeFileSync(join(work, 'empty.mjs'), '')
run([lpa, 'init', '--sample', '-q'])
writeFileSync(join(work, 'nobody.txt'), 'nobody\n')
run([lpa, 'up', 'exports', '-q'])
run([lpa, 'grant', 'apply', '-q'])
process.stdout.write(`median of ${rounds} rounds\n\n${goals()}\n\n`)
const fewer = Math.ceil(rounds / 3)
process.stdout.write(
  `every command, median of ${fewer} rounds; load of the machine ${loadavg()[0]?.toFixed(1)}\n\n${everyCommand(fewer)}\n`,
)
rmSync(work, { recursive: true, force: true })
