import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { loadConfig } from '../../config.ts'
import type { Result } from '../../types.ts'
import { StoredResults } from './stored-results.ts'

const ROOT = join(import.meta.dirname, '..', '..', '..')
const RESULT: Result = {
  columns: [
    { name: 'course_id', type: 'text' },
    { name: 'enrolled', type: 'integer' },
    { name: 'rate', type: 'double' },
    { name: 'day', type: 'date' },
  ],
  rows: [
    ['BIO101', 12, 0.25, '2026-01-12'],
    ['12', 9_007_199_254_740_993n, null, null],
  ],
}
const request = (report: string, params: Record<string, string> = {}) => ({ report, params })

let folder: string
const settings = (more: Record<string, string> = {}) =>
  loadConfig({ cwd: folder, env: {}, flags: { settings: { 'warehouse.path': folder, ...more } } })
const open = (more: Record<string, string> = {}) => new StoredResults(settings(more), ROOT)
const files = () => readdirSync(join(folder, 'results'))

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-results-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

it('gives back what was written, to the last digit, for its own request and settings only', () => {
  open().write(request('course-table', { days: '7' }), { version: '41', result: RESULT })
  expect(open().read(request('course-table', { days: '7' }))).toEqual({ version: '41', result: RESULT })
  expect(open().read(request('course-table', { days: '28' }))).toBeUndefined()
  expect(
    open({ 'metrics.session_gap_minutes': '5' }).read(request('course-table', { days: '7' })),
  ).toBeUndefined()
  open().write(request('course-table', { days: '7' }), { version: '42', result: { ...RESULT, rows: [] } })
  expect(open().read(request('course-table', { days: '7' }))).toEqual({
    version: '42',
    result: { ...RESULT, rows: [] },
  })
})

it('is for its owner only, and has no more than a hundred files', () => {
  const stored = open()
  for (let days = 1; days <= 100; days += 1) {
    stored.write(request('daily', { days: `${days}` }), { version: '1', result: RESULT })
    const old = new Date(Date.now() - 1000 * (200 - days))
    for (const name of files().filter(
      (one) => statSync(join(folder, 'results', one)).mtimeMs > Date.now() - 5000,
    ))
      utimesSync(join(folder, 'results', name), old, old)
  }
  expect(files()).toHaveLength(100)
  expect(statSync(join(folder, 'results')).mode & 0o777).toBe(0o700)
  expect(statSync(join(folder, 'results', files()[0] ?? '')).mode & 0o777).toBe(0o600)
  stored.write(request('daily', { days: '101' }), { version: '1', result: RESULT })
  expect(files()).toHaveLength(100)
  expect(stored.read(request('daily', { days: '1' }))).toBeUndefined()
  expect(stored.read(request('daily', { days: '2' }))).toBeDefined()
  expect(stored.read(request('daily', { days: '101' }))).toBeDefined()
})

it('starts without what is damaged, and writes nothing where it may not', () => {
  open().write(request('daily'), { version: '1', result: RESULT })
  const file = join(folder, 'results', files()[0] ?? '')
  const whole = readFileSync(file, 'utf8')
  for (const text of [
    '',
    '{',
    'null',
    '[]',
    '{"version":1}',
    whole.slice(0, -9),
    whole.replace('"12"', '"x"').replace('12,', '"x",'),
  ]) {
    writeFileSync(file, text)
    expect(open().read(request('daily'))).toBeUndefined()
  }
  rmSync(join(folder, 'results'), { recursive: true })
  writeFileSync(join(folder, 'results'), 'in the way')
  open().write(request('daily'), { version: '1', result: RESULT })
  expect(open().read(request('daily'))).toBeUndefined()
})
