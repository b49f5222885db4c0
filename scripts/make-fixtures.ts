/** Makes fixtures/campus anew: a small whole campus, example, demo and test data at once. A test holds it to this. */

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Campus, campusSummary, generateCampus } from '../src/pipeline/sample/campus.ts'

/** With this seed nearly every kind of bad row is there, in each file fewer than the 1 % that a load accepts. */
const fixture = {
  learners: 300,
  courses: 12,
  enrollments: 1500,
  events: 9500,
  seed: 2058,
  badRows: 0.004,
  compress: 'gz',
} as const

export async function makeFixtures(folder: string): Promise<Campus> {
  return await generateCampus(folder, fixture)
}

async function main(): Promise<void> {
  const folder = join(import.meta.dirname, '..', 'fixtures', 'campus')
  rmSync(folder, { recursive: true, force: true })
  console.log(campusSummary(await makeFixtures(folder)).text)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
