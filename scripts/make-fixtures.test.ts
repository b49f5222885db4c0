import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Campus } from '../src/pipeline/sample/campus.ts'
import { makeFixtures } from './make-fixtures.ts'

const committed = join(import.meta.dirname, '..', 'fixtures', 'campus')
const folder = mkdtempSync(join(tmpdir(), 'lpa-fixtures-'))
let campus: Campus
beforeAll(async () => {
  campus = await makeFixtures(folder)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What is in a file: compressed bytes may differ between versions of zlib. */
function content(path: string): string {
  const bytes = readFileSync(path)
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
}

test('fixtures/campus is what scripts/make-fixtures.ts makes', () => {
  expect(readdirSync(committed).sort()).toEqual(readdirSync(folder).sort())
  for (const name of readdirSync(folder)) {
    const same = content(join(committed, name)) === content(join(folder, name))
    expect(`${name}: ${same ? 'same' : 'run node scripts/make-fixtures.ts'}`).toBe(`${name}: same`)
  }
})

test('it is small, and has every kind of bad row, fewer than a load accepts', () => {
  const bytes = readdirSync(committed).map((name) => statSync(join(committed, name)).size)
  expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThan(3_000_000)
  const { learners, enrollments, events } = campus.expected
  expect(Object.keys(events.bad).length).toBe(6)
  expect(Object.keys(enrollments.bad).length).toBe(5)
  for (const { rows, bad } of [learners, enrollments, events]) {
    const count = Object.values(bad).reduce((sum, one) => sum + one, 0)
    expect(count).toBeGreaterThan(0)
    expect(count / rows).toBeLessThan(0.01)
  }
})
