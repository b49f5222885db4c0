import { spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { loadOclifConfig, ROOT } from '../scripts/oclif-config.ts'

const config = await loadOclifConfig()

/** Every example of every help, once. */
const EXAMPLES = new Set(
  config.commands
    .filter((command) => !command.hidden)
    .flatMap((command) => command.examples ?? [])
    .map((example) => (typeof example === 'string' ? example : example.command))
    .map((example) => example.replaceAll('<%= config.bin %>', config.bin))
    // These need a broker: test/services/kafka/stream.test.ts runs them.
    .filter((example) => !/^lpa stream (kafka:|bus\b)/.test(example))
    // And these Spark: test/services/spark runs what they do.
    .filter((example) => !/^lpa spark |--engine spark/.test(example)),
)

/** What an example names that only a real campus would have, and what stands for it here. */
const STAND_INS: readonly (readonly [RegExp, () => string])[] = [
  [/sample exports/, () => 'sample more-exports'],
  [/--id-space lms/, () => '--id-space campus'],
  [/--learners 200000 --events 5000000/, () => '--learners 200 --events 5000'],
  [/--at \d{4}-\d\d-\d\d/, () => `--at ${new Date().toISOString()}`],
  [/\b\d{8}-\d{6}-[0-9a-f]{6}\b/, () => first('lpa runs --json').run_id as string],
  [/requeue --load \d+/, () => `requeue --load ${first('lpa rejects list --json').load_id}`],
  [
    /show \d+ [\w.]+:\d+/,
    () => `show ${first('lpa rejects list --json').load_id} ${first('lpa rejects list --json').position}`,
  ],
]

/** Finds what it looks for: no policy was applied to the campus, and nobody has its roles. */
const FINDS = /^lpa grant check\b/

let top: string
/** The sample campus, loaded and built. */
let campus: string
beforeAll(() => {
  top = mkdtempSync(join(tmpdir(), 'lpa-examples-'))
  campus = join(top, 'campus')
  const bin = join(top, 'bin')
  for (const folder of [bin, campus]) mkdirSync(folder)
  writeFileSync(
    join(bin, 'lpa'),
    `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, 'bin', 'run.js')}" "$@"\n`,
  )
  chmodSync(join(bin, 'lpa'), 0o755)
  const made = sh('lpa up --sample --quiet')
  expect(made.status, made.stderr).toBe(0)

  const exported = (name: string) => readFileSync(join(campus, 'exports', name))
  copyFileSync(join(campus, 'exports', 'xapi-statements.ndjson.gz'), join(campus, 'statements.json.gz'))
  // Not what the campus holds: that would be refused without --source.
  const events = gunzipSync(exported('events.ndjson.gz')).toString('utf8')
  writeFileSync(join(campus, 'events.ndjson.gz'), gzipSync(withoutLastLine(events)))
  writeFileSync(join(campus, 'exports', 'courses.csv.gz'), gzipSync(exported('categories.csv')))
  writeFileSync(join(campus, 'grades.csv'), withoutLastLine(exported('completions.csv').toString('utf8')))
  const ids = exported('learners.csv')
    .toString('utf8')
    .split('\n')
    .slice(1, 3)
    .map((line) => line.split(',')[0])
  writeFileSync(join(campus, 'requests.csv'), ['student_no', ...ids, ''].join('\n'))
  writeFileSync(join(campus, 'ids.txt'), [...ids, ''].join('\n'))
  writeFileSync(join(campus, 'accounts.txt'), 'anna\n')
  for (const folder of ['mappings', 'core']) mkdirSync(join(campus, folder))
  sh(`for table in dim_date dim_course fact_enrollment agg_course_day; do
    lpa query -q --sql "select * from $table" --format parquet > core/$table.parquet; done`)
  copyFileSync(
    join(ROOT, 'sql', 'mappings', 'campus_course_completion.sql'),
    join(campus, 'mappings', 'grades.sql'),
  )
})
afterAll(() => {
  rmSync(top, { recursive: true, force: true })
})

function withoutLastLine(text: string): string {
  return text.slice(0, text.trimEnd().lastIndexOf('\n') + 1)
}

function sh(command: string, cwd = campus) {
  return spawnSync('sh', ['-c', command], {
    cwd,
    encoding: 'utf8',
    env: {
      PATH: `${join(top, 'bin')}:/usr/bin:/bin`,
      HOME: process.env.HOME,
      XDG_CACHE_HOME: process.env.XDG_CACHE_HOME,
      LANG: 'C.UTF-8',
    },
  })
}

function first(command: string): Record<string, unknown> {
  return JSON.parse(sh(command).stdout)[0]
}

describe('the examples of every help run on the sample campus', () => {
  it('there are examples', () => {
    expect(EXAMPLES.size).toBeGreaterThan(20)
  })

  // Each on a campus of its own, so that none builds on what another did.
  it.each([...EXAMPLES].map((example, number) => [number, example] as const))('%d: %s', (number, example) => {
    const folder = join(top, String(number))
    // With modes and times: lpa doctor looks at them.
    spawnSync('cp', ['-a', campus, folder])
    const command = STAND_INS.reduce(
      (text, [named, standIn]) => (named.test(text) ? text.replace(named, standIn()) : text),
      example,
    )
    const { status, stdout, stderr } = sh(command, folder)
    expect(status, `${command}\n${stdout}${stderr}`).toBe(FINDS.test(example) ? 1 : 0)
  })
})
