/**
 * Staging to dimensions and facts, by the embedded engine and on Spark, over copies of one loaded warehouse in the same run, at
 * every size named: CPU and wall seconds, peak memory, and how they grow.
 *
 * usage: npm run bench:spark -- [--rounds N] [--memory SIZE] [--once] [--staged FOLDER] [EVENTS…]     (3 rounds of 1000000)
 * Spark is that of `lpa spark up`, local[*], a new one each round: its first batch runs in a Java that has compiled nothing,
 * the second in one that has; --once leaves that out. Every row of core is hashed after each batch; other rows than the embedded engine's end the run.
 * What is staged is kept in FOLDER, and taken from there the next time. 20,000,000 events take 20 GB of disk meanwhile.
 */

import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildWhenStale } from '../../scripts/build.ts'
import { sparkJars } from '../../scripts/spark-jars.ts'
import { loadConfig } from '../../src/config.ts'
import { readDeclared } from '../../src/pipeline/declared.ts'
import { withWarehouse } from '../../src/pipeline/warehouse.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const USAGE = join(ROOT, 'bench', 'report-memory.mjs')
/** Of /proc/PID/stat. */
const TICKS_A_SECOND = 100
const ALL_RUNS = ['embedded', 'Spark, just started', 'Spark, warm'] as const
type Run = (typeof ALL_RUNS)[number]
const { values, positionals } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    memory: { type: 'string', default: '2g' },
    once: { type: 'boolean', default: false },
    staged: { type: 'string' },
  },
  allowPositionals: true,
})
const [rounds, sizes] = [
  Number(values.rounds),
  positionals.length > 0 ? positionals.map(Number) : [1_000_000],
]
const RUNS = values.once ? ALL_RUNS.slice(0, 2) : ALL_RUNS
const work = mkdtempSync(join(tmpdir(), 'lpa-bench-spark-'))
const core = readDeclared('duckdb').tables.filter(
  ({ name, kind }) => kind === 'table' && name.startsWith('core.'),
)

/** Peak memory is the resident one, in MB. */
interface Usage {
  readonly cpuSeconds: number
  readonly megabytes: number
}

interface Ran extends Usage {
  readonly seconds: number
  readonly stdout: string
}

interface Measured {
  readonly seconds: number
  readonly lpa: Usage
  readonly spark: Usage
  /** Processes that wanted a core, of others too, in the minute before its end. */
  readonly load: number
}

function lpa(cwd: string, ...args: string[]): Ran {
  const [memory, cpu] = [join(work, 'memory'), join(work, 'cpu')]
  const started = performance.now()
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', USAGE, join(ROOT, 'bin', 'run.js'), ...args, '-q'],
    {
      ...{ cwd, encoding: 'utf8', maxBuffer: 1 << 28 },
      // A Spark of the user's own is left alone.
      env: { ...process.env, BENCH_MEMORY: memory, BENCH_CPU: cpu, XDG_STATE_HOME: join(work, 'state') },
    },
  )
  const seconds = (performance.now() - started) / 1000
  if (status !== 0) throw new Error(`lpa ${args.join(' ')}: exit ${status}\n${stderr}`)
  return {
    ...{ seconds, stdout },
    cpuSeconds: Number(readFileSync(cpu, 'utf8')),
    megabytes: Number(readFileSync(memory, 'utf8')),
  }
}

/** Of a process that runs, until now; none takes nothing. */
function usageOf(pid: number | undefined): Usage {
  if (pid === undefined) return { cpuSeconds: 0, megabytes: 0 }
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
  const [user = Number.NaN, system = Number.NaN] = fields.slice(11, 13).map(Number)
  const [, peak] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return { cpuSeconds: (user + system) / TICKS_A_SECOND, megabytes: Math.round(Number(peak) / 1024) }
}

/** A folder that is loaded, not built. */
function stage(events: number): string {
  const staged = join(values.staged ?? work, String(events))
  if (existsSync(staged)) return staged
  const part = `${staged}.part`
  rmSync(part, { recursive: true, force: true })
  mkdirSync(part, { recursive: true })
  const size = ['--learners', String(Math.round(events / 25)), '--events', String(events)]
  lpa(part, 'init')
  lpa(part, 'schema', 'apply')
  lpa(part, 'sample', 'exports', ...size)
  lpa(part, 'load', 'exports', '--source', 'campus')
  rmSync(join(part, 'exports'), { recursive: true })
  renameSync(part, staged)
  return staged
}

/** A batch of a copy of what is staged, and what it made. */
async function batch(staged: string, spark?: number): Promise<{ measured: Measured; rows: string }> {
  const folder = join(work, 'built')
  cpSync(staged, folder, { recursive: true })
  const before = usageOf(spark)
  const { seconds, cpuSeconds, megabytes } = lpa(folder, 'batch', ...(spark ? ['--engine', 'spark'] : []))
  const after = usageOf(spark)
  const load = loadavg()[0] ?? Number.NaN
  const rows = await rowsOfCore(folder)
  rmSync(folder, { recursive: true })
  const used = { ...after, cpuSeconds: after.cpuSeconds - before.cpuSeconds }
  return { measured: { seconds, lpa: { cpuSeconds, megabytes }, spark: used, load }, rows }
}

/** A line a table: how many rows it has, and what they are. */
async function rowsOfCore(folder: string): Promise<string> {
  const config = loadConfig({ cwd: folder, env: process.env })
  return withWarehouse(config, 'read', new AbortController().signal, async (engine) => {
    const lines: string[] = []
    for (const { name } of core) {
      const { rows } = await engine.query(
        `select count(*), cast(sum(hash(t)) as varchar) from (select * from ${name}) t`,
      )
      lines.push(`${name} ${rows[0]?.join(' ')}`)
    }
    return lines.join('\n')
  })
}

async function round(staged: string, number: number): Promise<Record<Run, Measured>> {
  const up = lpa(work, 'spark', 'up', '--memory', values.memory, '--json')
  const { pid } = JSON.parse(up.stdout) as { pid: number }
  const results = {} as Record<Run, Measured>
  let expected: string | undefined
  try {
    for (const run of RUNS) {
      const { measured, rows } = await batch(staged, run === 'embedded' ? undefined : pid)
      expected ??= rows
      if (rows !== expected) throw new Error(`${run}: other rows\n${rows}\n\nembedded:\n${expected}`)
      results[run] = measured
      process.stderr.write(`round ${number}, ${run}: ${JSON.stringify(measured)}\n`)
    }
  } finally {
    lpa(work, 'spark', 'down')
  }
  return results
}

const median = (numbers: readonly number[]) =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
const count = (value: number) => value.toLocaleString('en')
const wall = ({ seconds }: Measured) => seconds
const cpu = ({ lpa, spark }: Measured) => lpa.cpuSeconds + spark.cpuSeconds

/** Prints its table; answers a line of what each run takes for a million events. */
async function measure(events: number): Promise<string> {
  const staged = stage(events)
  process.stderr.write(`${count(events)} events are staged\n`)
  const all: Record<Run, Measured>[] = []
  for (let number = 1; number <= rounds; number += 1) all.push(await round(staged, number))
  const each = (run: Run, value: (one: Measured) => number) => all.map((results) => value(results[run]))
  const middle = (run: Run, value: (one: Measured) => number) => median(each(run, value))
  const ratio = (run: Run, value: (one: Measured) => number) =>
    median(all.map((results) => value(results[run]) / value(results.embedded)))
  const loads = RUNS.flatMap((run) => each(run, ({ load }) => load))
  const lines = [
    `${count(events)} events; median of ${rounds} rounds; ${availableParallelism()} cores, load ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}; Java's heap ${values.memory}`,
    '',
    '| | seconds | ÷ embedded | CPU seconds, lpa + Spark | ÷ embedded | peak memory MB, lpa + Spark |',
    '|---|---|---|---|---|---|',
    ...RUNS.map((run) => {
      const cpus = [({ lpa }: Measured) => lpa.cpuSeconds, ({ spark }: Measured) => spark.cpuSeconds]
      const memory = [({ lpa }: Measured) => lpa.megabytes, ({ spark }: Measured) => spark.megabytes]
      const [seconds, used] = [middle(run, wall), cpus.map((value) => middle(run, value).toFixed(1))]
      const peaks = memory.map((value) => Math.max(...each(run, value)))
      return `| ${run} | ${seconds.toFixed(1)} | ${ratio(run, wall).toFixed(2)} | ${used.join(' + ')} | ${ratio(run, cpu).toFixed(2)} | ${peaks.join(' + ')} |`
    }),
    '',
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
  const aMillion = (run: Run, value: (one: Measured) => number) =>
    ((middle(run, value) / events) * 1_000_000).toFixed(1)
  const growth = RUNS.map((run) => `${run} ${aMillion(run, wall)} s, ${aMillion(run, cpu)} s of CPU`)
  return `${count(events)} events, for a million: ${growth.join('; ')}`
}

await buildWhenStale()
await sparkJars()
try {
  const growth: string[] = []
  for (const events of sizes) growth.push(await measure(events))
  process.stdout.write(`${growth.join('\n')}\n`)
} finally {
  rmSync(work, { recursive: true, force: true })
}
