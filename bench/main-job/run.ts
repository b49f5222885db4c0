/**
 * The main job through lpa's own commands, and beside it in the same run the same job in plain DuckDB, at every size
 * named: the growth from the first to the last is part of the answer.
 *
 * usage: npm run bench:main-job -- [--rounds N] [EVENTS…]     (default: 3 rounds of 1000000 5000000)
 * Prints one Markdown table a size: median wall seconds, ratios, peak resident memory. Data are made once a size, in a
 * temporary folder.
 */

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildWhenStale } from '../../scripts/build.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const RSS = join(ROOT, 'bench', 'report-memory.mjs')
const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string', default: '3' } },
  allowPositionals: true,
})
const rounds = Number(values.rounds)
const sizes = positionals.length > 0 ? positionals.map(Number) : [1_000_000, 5_000_000]
const work = mkdtempSync(join(tmpdir(), 'lpa-bench-'))

interface Measured {
  readonly seconds: number
  /** Peak resident memory of the largest process, MB. */
  readonly megabytes: number
}

function run(command: readonly string[], cwd: string): Measured {
  const memory = join(work, 'memory')
  const started = performance.now()
  const { status, stderr } = spawnSync(process.execPath, ['--import', RSS, ...command], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, BENCH_MEMORY: memory },
    maxBuffer: 1 << 28,
  })
  const seconds = (performance.now() - started) / 1000
  if (status !== 0) throw new Error(`${command.join(' ')}: exit ${status}\n${stderr}`)
  return { seconds, megabytes: Number(readFileSync(memory, 'utf8')) }
}

const lpa = (cwd: string, ...args: string[]) => run([join(ROOT, 'bin', 'run.js'), ...args, '-q'], cwd)

function lpaJob(exports: string): Record<string, Measured> {
  const folder = join(work, 'lpa')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  lpa(folder, 'init')
  return {
    schema: lpa(folder, 'schema', 'apply'),
    load: lpa(folder, 'load', exports, '--source', 'campus'),
    batch: lpa(folder, 'batch'),
    report: lpa(folder, 'query', 'course-ranking', '--format', 'csv'),
  }
}

function plain(kind: string, exports: string): Measured {
  const script = join(ROOT, 'bench', 'main-job', 'plain-duckdb.ts')
  return run(['--import', 'tsx', script, kind, exports, join(work, kind)], ROOT)
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

/** Runs every job at one size and prints its table. Answers lpa's median seconds. */
function measure(events: number): number {
  const exports = join(work, 'exports')
  const [learners, enrollments] = [Math.round(events / 25), Math.round(events / 5)]
  const sample = lpa(work, 'sample', exports, '--learners', String(learners), '--events', String(events))
  const all = { lpa: [] as Measured[], 'same work': [] as Measured[], 'bare minimum': [] as Measured[] }
  const steps: Record<string, Measured>[] = []
  for (let round = 0; round < rounds; round += 1) {
    const job = lpaJob(exports)
    steps.push(job)
    const parts = Object.values(job)
    all.lpa.push({
      seconds: parts.reduce((sum, part) => sum + part.seconds, 0),
      megabytes: Math.max(...parts.map((part) => part.megabytes)),
    })
    all['same work'].push(plain('same-work', exports))
    all['bare minimum'].push(plain('bare-minimum', exports))
    const last = Object.entries(all).map(([name, list]) => [name, list.at(-1)])
    process.stderr.write(
      `${events} events, round ${round + 1}: ${JSON.stringify(Object.fromEntries(last))}\n`,
    )
  }
  rmSync(exports, { recursive: true })
  const seconds = (list: readonly Measured[]) => median(list.map((one) => one.seconds))
  const ratio = (against: keyof typeof all) =>
    median(all.lpa.map((one, round) => one.seconds / (all[against][round]?.seconds ?? Number.NaN)))
  const count = (value: number) => value.toLocaleString('en')
  const lines = [
    `${count(events)} events, ${count(learners)} learners, ${count(enrollments)} enrollments; median of ${rounds} rounds; sample made in ${sample.seconds.toFixed(1)} s, ${sample.megabytes} MB`,
    '',
    '| | seconds | lpa ÷ this | peak memory MB |',
    '|---|---|---|---|',
    ...Object.entries(all).map(
      ([name, list]) =>
        `| ${name} | ${seconds(list).toFixed(1)} | ${name === 'lpa' ? '' : ratio(name as keyof typeof all).toFixed(2)} | ${Math.max(...list.map((one) => one.megabytes))} |`,
    ),
    '',
    `lpa's steps: ${['schema', 'load', 'batch', 'report'].map((step) => `${step} ${median(steps.map((job) => job[step]?.seconds ?? 0)).toFixed(1)} s`).join(', ')}`,
    '',
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
  return seconds(all.lpa)
}

await buildWhenStale()
// What the first command of a machine does once, such as fetching extension files, belongs to no round.
lpa(work, 'init')
lpa(work, 'schema', 'apply')
const growth = sizes.map((events) => ({ events, seconds: measure(events) }))
for (const { events, seconds } of growth) {
  process.stdout.write(`${events} events: ${((seconds / events) * 1_000_000).toFixed(1)} s a million\n`)
}
rmSync(work, { recursive: true, force: true })
