/** The file of lineage events: what ends a run, and ids that are the same for the same run. */

import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Lineage, uuidOf } from './lineage.ts'
import type { RunRecord } from './run-record.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-lineage-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const RUN = '20260112-081322-4f2a91'
const open = (file: string) =>
  new Lineage({ file, runId: RUN, job: 'load', version: '0.1.0', namespace: 'campus' })
const ended = (exitCode: number): RunRecord => ({
  ...{
    runId: RUN,
    command: 'load',
    arguments: '',
    exitCode,
    summary: exitCode === 65 ? 'failed: LPA-X' : '',
  },
  ...{ startedAt: '2026-01-12T08:13:22Z', finishedAt: '2026-01-12T08:13:23Z' },
})

interface Event {
  readonly eventType: string
  readonly run: { readonly runId: string }
  readonly inputs: object[]
  readonly outputs: object[]
}

function eventsOf(file: string): Event[] {
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

test.each([
  [0, 'COMPLETE'],
  [1, 'COMPLETE'],
  [65, 'FAIL'],
  [130, 'ABORT'],
])('a run that ends with %i is a %s', (exitCode, type) => {
  const file = join(folder, 'lineage.ndjson')
  open(file).end(ended(exitCode))
  const [start, end] = eventsOf(file)
  expect([start?.eventType, end?.eventType]).toEqual(['START', type])
  expect(end?.run).toMatchObject({ runId: start?.run.runId })
  const error = { message: 'failed: LPA-X' }
  if (type === 'FAIL') expect(end?.run).toMatchObject({ facets: { errorMessage: error } })
  else expect(JSON.stringify(end)).not.toContain('errorMessage')
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

test('tells of a source or table once, with all its rows', () => {
  const file = join(folder, 'lineage.ndjson')
  const lineage = open(file)
  for (const rows of [2, 3])
    lineage.moved({ inputs: [{ name: 'sources.lms' }], outputs: [{ name: 'staging.stg_learner', rows }] })
  lineage.end(ended(0))
  const [, end] = eventsOf(file)
  expect(end?.inputs).toEqual([{ namespace: 'campus', name: 'sources.lms', facets: {} }])
  expect(end?.outputs).toMatchObject([{ outputFacets: { outputStatistics: { rowCount: 5 } } }])
})

test('adds to what other runs wrote, and fails at once where it cannot', () => {
  const file = join(folder, 'lineage.ndjson')
  open(file).end(ended(0))
  open(file).end(ended(0))
  expect(eventsOf(file)).toHaveLength(4)
  expect(() => open(join(folder, 'missing', 'lineage.ndjson'))).toThrow(/ENOENT/)
})

test('the id of a run is a UUID of its time, of a part another one', () => {
  expect(uuidOf(RUN)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(Number.parseInt(uuidOf(RUN).replace('-', '').slice(0, 12), 16)).toBe(
    Date.parse('2026-01-12T08:13:22Z'),
  )
  expect(uuidOf(RUN)).toBe(uuidOf(RUN))
  expect(uuidOf(RUN, 'dim_course')).not.toBe(uuidOf(RUN))
})
