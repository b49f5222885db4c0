/** `lpa sample` as built, and its promise of size: five times the events take no more memory. */

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, expect, test } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'lpa-sample-size-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const lpa = (...args: string[]) => {
  const program = join(import.meta.dirname, '..', 'bin', 'run.js')
  return spawnSync(process.execPath, [program, 'sample', ...args], { encoding: 'utf8' })
}

test('lpa sample writes the files, says which, and never overwrites them', () => {
  const target = join(folder, 'exports')
  const made = lpa(target, '--learners', '60', '--events', '900', '--bad-rows', '2%', '--compress', 'gz')
  expect(made.stdout).toBe('')
  expect(made.stderr).toMatch(/^events\.ndjson\.gz +9\d\d records +\d+ bad$/m)
  expect(made.stderr).toMatch(/^lpa sample: 8 files, \d+ MB/m)
  expect(made.status).toBe(0)
  expect(readdirSync(target).length).toBe(8)
  const before = readFileSync(join(target, 'learners.csv'), 'utf8')
  const again = lpa(target, '--learners', '61')
  expect(again.stderr).toContain('LPA-SAMPLE-EXISTS')
  expect(again.status).toBe(73)
  expect(readFileSync(join(target, 'learners.csv'), 'utf8')).toBe(before)
})

test('lpa sample --json answers the exact numbers', () => {
  const target = join(folder, 'parquet')
  const made = lpa(target, '--learners', '60', '--format', 'parquet', '--json', '-q')
  expect(made.stderr).toBe('')
  const { files, expected } = JSON.parse(made.stdout)
  expect(files.map((file: { path: string }) => file.path)).toContain(join(target, 'events.parquet'))
  expect(expected.events.good).toBe(60 * 25)
})

test.each([
  [['--learners', '0'], 'learners is 0'],
  [['--bad-rows', '60%'], 'share of bad rows'],
  [['--bad-rows', 'few'], 'share of bad rows'],
  [['--format', 'xml'], 'It is one of ndjson, csv, parquet'],
])('%j is refused with exit 2', (args, message) => {
  const { status, stderr } = lpa(join(folder, 'never'), ...args)
  expect(stderr).toContain(message)
  expect(status).toBe(2)
})

interface Measured {
  readonly megabytes: number
  readonly seconds: number
  readonly bytes: number
  readonly events: number
}

/** The same 20,000 learners and 100,000 enrollments, with so many events. */
function measure(events: number): Measured {
  const generator = pathToFileURL(join(import.meta.dirname, '..', 'src/pipeline/sample/campus.ts')).href
  const target = join(folder, String(events))
  const script = `
    const { generateCampus } = await import(${JSON.stringify(generator)})
    const started = performance.now()
    const { files, expected } = await generateCampus(${JSON.stringify(target)}, { learners: 20000, events: ${events}, seed: 1 })
    console.log(JSON.stringify({
      megabytes: process.resourceUsage().maxRSS / 1024,
      seconds: (performance.now() - started) / 1000,
      bytes: files.reduce((sum, file) => sum + file.bytes, 0),
      events: expected.events.good,
    }))`
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  rmSync(target, { recursive: true })
  const measured = JSON.parse(output) as Measured
  const { megabytes, seconds, bytes } = measured
  console.log(
    `sample of ${events} events: ${seconds.toFixed(1)} s, ${Math.round(bytes / 1e6 / seconds)} MB/s, ${Math.round(megabytes)} MB resident`,
  )
  return measured
}

test('memory does not grow with the events, time grows no faster than they do', () => {
  const small = measure(200_000)
  const large = measure(1_000_000)
  expect(large.events).toBe(1_000_000)
  expect(large.bytes).toBeGreaterThan(230_000_000)
  // Per-event state of 100 bytes would be 80 MB more; what is allowed is the garbage collector's ease.
  expect(large.megabytes - small.megabytes).toBeLessThan(60)
  expect(large.megabytes).toBeLessThan(300)
  expect(large.seconds).toBeLessThan(12 * small.seconds)
})
