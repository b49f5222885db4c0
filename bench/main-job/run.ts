/**
 * The main job, files to facts to a report, by lpa and by others, in turns: plain DuckDB doing the same work, the bare
 * minimum, dbt, Polars, pandas and dlt. What they found is compared with what lpa found.
 *
 * usage: npm run bench -- [--rounds N] [--only NAME,…] [EVENTS…]     (default: 3 rounds of 1000000)
 * Prints one Markdown table a size, and how the times grow from the first to the last; bench/README.md says how it is
 * measured. Data are made once a size, in a temporary folder; the peers' packages are fetched once, by pip.
 */

import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { buildWhenStale } from '../../scripts/build.ts'
import { measured } from '../measured.ts'
import { count, markdown, median } from '../numbers.ts'
import { type Done, FLOORS, type Job, peers } from './jobs.ts'
import { peersPython } from './python.ts'

const LPA = fileURLToPath(new URL('../../bin/run.js', import.meta.url))
const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, only: { type: 'string' } },
  allowPositionals: true,
})
const rounds = Number(values.rounds)
const sizes = positionals.length > 0 ? positionals.map(Number) : [1_000_000]
const work = mkdtempSync(join(tmpdir(), 'lpa-bench-'))

/** What each job cost in each round. */
type Results = ReadonlyMap<Job, readonly Done[]>

async function chosenJobs(): Promise<readonly Job[]> {
  const only = values.only?.toLowerCase().split(',')
  const floorsOnly = only?.every((name) => FLOORS.some((job) => job.name === name))
  const all = floorsOnly ? FLOORS : [...FLOORS, ...peers(await peersPython())]
  return all.filter(({ name }) => name === 'lpa' || (only?.includes(name.toLowerCase()) ?? true))
}

async function makeExports(folder: string, events: number): Promise<void> {
  const size = ['--learners', String(Math.ceil(events / 25)), '--events', String(events)]
  await measured([process.execPath, LPA, 'sample', folder, ...size, '-q'], { cwd: work })
  // Only lpa reads xAPI.
  for (const name of readdirSync(folder)) if (name.startsWith('xapi-')) rmSync(join(folder, name))
}

/** @throws Error where a job found something else than lpa */
async function runRounds(jobs: readonly Job[], exports: string, rounds: number): Promise<Results> {
  const results = new Map(jobs.map((job) => [job, [] as Done[]]))
  for (let round = 0; round < rounds; round += 1) {
    const load = loadavg()[0]?.toFixed(1)
    // Each round begins with another one, and goes the other way round.
    const turned = [...jobs.slice(round % jobs.length), ...jobs.slice(0, round % jobs.length)]
    for (const job of round % 2 === 0 ? turned : turned.toReversed()) {
      const done = await runOnce(job, exports)
      results.get(job)?.push(done)
      process.stderr.write(
        `round ${round + 1}, ${job.name}: ${done.wallSeconds.toFixed(1)} s, ${done.cpuSeconds.toFixed(1)} s CPU, ${done.peakMegabytes} MB; load ${load}\n`,
      )
    }
    compareAnswers(results)
  }
  return results
}

async function runOnce(job: Job, exports: string): Promise<Done> {
  const folder = join(work, 'job')
  mkdirSync(folder)
  try {
    return await job.run(exports, folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function compareAnswers(results: Results): void {
  const own = results.get(FLOORS[0] as Job)?.[0]?.answer
  for (const [job, runs] of results) {
    for (const { answer } of job.sameAnswer ? runs : []) {
      if (isDeepStrictEqual(answer, own)) continue
      throw new Error(`${job.name} found ${JSON.stringify(answer)}\nlpa found ${JSON.stringify(own)}`)
    }
  }
}

function tableOf(results: Results): string {
  const own = results.get(FLOORS[0] as Job) ?? []
  const rows = [...results].map(([job, runs]) => {
    const of = (key: 'wallSeconds' | 'cpuSeconds') => median(runs.map((run) => run[key]))
    const ratio = (key: 'wallSeconds' | 'cpuSeconds') =>
      median(own.map((run, round) => run[key] / (runs[round]?.[key] ?? Number.NaN)))
    return [
      job.name,
      of('wallSeconds').toFixed(1),
      ratio('wallSeconds').toFixed(2),
      of('cpuSeconds').toFixed(1),
      ratio('cpuSeconds').toFixed(2),
      count(Math.max(...runs.map((run) => run.peakMegabytes))),
      job.leavesOut,
    ]
  })
  const head = ['', 'wall s', 'lpa ÷ this', 'CPU s', 'lpa ÷ this', 'peak MB', 'leaves out']
  return markdown([head, ...rows])
}

function stepsOf(results: Results): string {
  const runs = results.get(FLOORS[0] as Job) ?? []
  const steps = Object.keys(runs[0]?.steps ?? {}).map((step) => {
    const all = runs.flatMap((run) => run.steps[step] ?? [])
    const [wall, cpu] = [median(all.map((one) => one.wallSeconds)), median(all.map((one) => one.cpuSeconds))]
    const megabytes = Math.max(...all.map((one) => one.peakMegabytes))
    return `${step} ${wall.toFixed(1)} s, CPU ${cpu.toFixed(1)} s, ${megabytes} MB`
  })
  return `lpa's steps: ${steps.join('; ')}`
}

/** Seconds a million events at each size. */
function growthOf(all: ReadonlyMap<number, Results>): string {
  const [first] = all.values()
  const rows = [...(first?.keys() ?? [])].map((job) => [
    job.name,
    ...[...all].map(([events, results]) => {
      const seconds = median((results.get(job) ?? []).map((run) => run.wallSeconds))
      return ((seconds / events) * 1_000_000).toFixed(1)
    }),
  ])
  return markdown([['seconds a million events, of', ...[...all.keys()].map(count)], ...rows])
}

await buildWhenStale()
const jobs = await chosenJobs()
const exports = join(work, 'exports')
// What the first command of a machine does once, such as fetching extensions or compiling Python, belongs to no round.
await makeExports(exports, 1000)
await runRounds(jobs, exports, 1)
const all = new Map<number, Results>()
for (const events of sizes) {
  rmSync(exports, { recursive: true })
  await makeExports(exports, events)
  const before = loadavg()[0]?.toFixed(1)
  const results = await runRounds(jobs, exports, rounds)
  all.set(events, results)
  process.stdout.write(
    `${count(events)} events; median of ${rounds} rounds, peak of all; load of the machine ${before} before, ${loadavg()[0]?.toFixed(1)} after; all found what lpa found\n\n${tableOf(results)}\n\n${stepsOf(results)}\n\n`,
  )
}
if (sizes.length > 1) process.stdout.write(`${growthOf(all)}\n`)
rmSync(work, { recursive: true, force: true })
