/** How much memory a load takes at most: the operating system's own high-water mark of the process. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { generateCampus } from '../src/pipeline/sample/campus.ts'
import { initPlace, isFull, type Place, type Ran, removePlaces, startLpa } from './faults/lpa.ts'

const MOST_MB = 1024

let place: Place
beforeAll(async () => {
  place = await initPlace('memory')
})
afterAll(removePlaces)

/** Runs lpa and tells its peak of resident memory in MB. */
async function measured(args: readonly string[]): Promise<Ran & { peakMb: number }> {
  const { child, ended } = startLpa(place, args)
  let peakMb = 0
  const timer = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
      peakMb = Math.max(peakMb, Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024)
    } catch {
      // It has ended.
    }
  }, 10)
  const ran = await ended
  clearInterval(timer)
  return { ...ran, peakMb: Math.round(peakMb) }
}

const event = (id: string, note: string) =>
  JSON.stringify({
    event_id: id,
    event_type: 'viewed',
    learner_id: 'S0000001',
    course_id: 'CS1',
    occurred_at: '2026-03-02T08:00:00Z',
    attributes: { note },
  })

test('lines of 4 MB, and one of 60 MB, which is quarantined', async () => {
  const long = Array.from({ length: 6 }, (_, index) => event(`long-${index}`, `${index} `.repeat(2e6)))
  const lines = [
    event('first', 'short'),
    ...long,
    event('too long', 'long '.repeat(12e6)),
    event('last', 'short'),
  ]
  writeFileSync(join(place.root, 'long.ndjson'), `${lines.join('\n')}\n`)
  const { code, stderr, stdout, peakMb } = await measured([
    'load',
    'long.ndjson',
    '--json',
    '--max-rejects',
    '1',
  ])
  expect({ code, stderr }).toMatchObject({ code: 0 })
  expect(JSON.parse(stdout)).toMatchObject([{ read: 9, mapped: 8, rejected: 1 }])
  expect(peakMb).toBeGreaterThan(100)
  expect(peakMb).toBeLessThanOrEqual(MOST_MB)
})

// In `npm test` it would take longer than all the rest.
if (isFull) {
  test('a million events, loaded and built', async () => {
    await generateCampus(join(place.root, 'exports'), {
      ...{ learners: 40_000, events: 1_000_000, seed: 3, courses: 400, badRows: 0.001 },
    })
    for (const command of [['load', 'exports/'], ['batch'], ['batch', '--full']]) {
      const { code, stderr, peakMb } = await measured(command)
      expect({ command, code, stderr }).toMatchObject({ code: 0 })
      expect(peakMb, command.join(' ')).toBeLessThanOrEqual(MOST_MB)
      process.stdout.write(`lpa ${command.join(' ')}: ${peakMb} MB at most\n`)
    }
  }, 900_000)
}
