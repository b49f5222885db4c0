/**
 * How long each report takes over a large warehouse: lpa query beside a minimal script that opens the lake and runs the
 * same SQL, in turns.
 *
 * usage: npm run bench:reports -- [--rounds N] [EVENTS]     (default: 3 rounds of 1000000)
 * Prints a Markdown table: median milliseconds of the whole process, and the median ratio of the rounds.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildWhenStale } from '../../scripts/build.ts'
import { listSql } from '../../src/sql-files.ts'
import { type Measured, measured } from '../measured.ts'
import { count, markdown, median } from '../numbers.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string', default: '3' } },
  allowPositionals: true,
})
const rounds = Number(values.rounds)
const events = Number(positionals[0] ?? 1_000_000)
const work = mkdtempSync(join(tmpdir(), 'lpa-bench-'))

const lpa = (...args: string[]) =>
  measured([process.execPath, join(ROOT, 'bin', 'run.js'), ...args], { cwd: work })
const minimal = (report: string) =>
  measured([process.execPath, join(ROOT, 'bench', 'start', 'minimal-query.ts'), 'warehouse', report], {
    cwd: work,
  })

async function latencies(report: string): Promise<readonly (string | number)[]> {
  const [own, others]: [Measured[], Measured[]] = [[], []]
  // The first round warms the caches and does not count.
  for (let round = 0; round <= rounds; round += 1) {
    const [mine, other] = [await lpa('query', report, '--json'), await minimal(report)]
    if (round === 0) continue
    own.push(mine)
    others.push(other)
  }
  const milliseconds = (runs: readonly Measured[]) =>
    (median(runs.map((run) => run.wallSeconds)) * 1000).toFixed(0)
  const ratio = median(own.map((run, round) => run.wallSeconds / (others[round]?.wallSeconds ?? Number.NaN)))
  const peak = Math.max(...own.map((run) => run.peakMegabytes))
  return [report, milliseconds(own), milliseconds(others), ratio.toFixed(2), peak]
}

await buildWhenStale()
await lpa('init')
const size = ['--learners', String(Math.ceil(events / 25)), '--events', String(events)]
await lpa('sample', 'exports', ...size)
await lpa('up', 'exports')
const rows: (readonly (string | number)[])[] = []
for (const report of listSql('reports')) rows.push(await latencies(report))
const head = ['report', 'lpa query, ms', 'minimal script, ms', '÷', 'peak MB']
process.stdout.write(
  `${count(events)} events; median of ${rounds} rounds; load of the machine ${loadavg()[0]?.toFixed(1)}\n\n${markdown([head, ...rows])}\n`,
)
rmSync(work, { recursive: true, force: true })
