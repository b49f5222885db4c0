/**
 * xAPI statements beside the same events as flat NDJSON: each is loaded by lpa into a warehouse of its own, in turns.
 *
 * usage: npm run bench:xapi -- [--rounds N] [EVENTS]     (default: 3 rounds of 1000000)
 * Prints a Markdown table: rows a second of each round, their medians, and the median of the rounds' ratios.
 */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildWhenStale } from '../../scripts/build.ts'

const LPA = fileURLToPath(new URL('../../bin/run.js', import.meta.url))
const FORMATS = ['xapi', 'ndjson'] as const
type Format = (typeof FORMATS)[number]
const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string', default: '3' } },
  allowPositionals: true,
})
const rounds = Number(values.rounds)
const events = Number(positionals[0] ?? 1_000_000)
const work = mkdtempSync(join(tmpdir(), 'lpa-bench-xapi-'))

/** Seconds of a command. */
function lpa(cwd: string, ...args: string[]): number {
  const started = performance.now()
  const { status, stderr } = spawnSync(process.execPath, [LPA, ...args, '-q'], { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`lpa ${args.join(' ')}: exit ${status}\n${stderr}`)
  return (performance.now() - started) / 1000
}

/** Rows a second. */
function load(format: Format): number {
  const folder = mkdtempSync(join(work, 'warehouse-'))
  lpa(folder, 'init')
  lpa(folder, 'schema', 'apply')
  const seconds = lpa(folder, 'load', fileOf(format), '--source', 'campus')
  rmSync(folder, { recursive: true })
  return events / seconds
}

function fileOf(format: Format): string {
  return join(work, format, 'events.ndjson')
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0
}

await buildWhenStale()
const made = FORMATS.map((format) => {
  const size = ['--learners', String(Math.ceil(events / 25)), '--events', String(events)]
  const seconds = lpa(work, 'sample', join(work, format), ...size, '--format', format)
  return `${format} ${(statSync(fileOf(format)).size / events).toFixed(0)} bytes a row, made in ${seconds.toFixed(0)} s`
})
const results = Array.from({ length: rounds }, (_, index) => {
  // Who is first has the quieter machine as often as the other.
  const order = index % 2 === 0 ? FORMATS : FORMATS.toReversed()
  const rates = Object.fromEntries(order.map((format) => [format, load(format)])) as Record<Format, number>
  process.stderr.write(`round ${index + 1}: ${JSON.stringify(rates)}\n`)
  return rates
})
const count = (value: number) => Math.round(value).toLocaleString('en')
const all = (format: Format) => results.map((rates) => rates[format])
const ratio = median(results.map((rates) => rates.xapi / rates.ndjson))
const lines = [
  `${count(events)} events: ${made.join('; ')}; load of the machine ${loadavg()[0]?.toFixed(1)}`,
  '',
  '| | rows a second, by round | median |',
  '|---|---|---|',
  ...FORMATS.map(
    (format) => `| ${format} | ${all(format).map(count).join(', ')} | ${count(median(all(format)))} |`,
  ),
  '',
  `xapi ÷ ndjson: ${ratio.toFixed(2)}`,
]
process.stdout.write(`${lines.join('\n')}\n`)
rmSync(work, { recursive: true, force: true })
