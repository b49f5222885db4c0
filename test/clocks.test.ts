/** The time zone of a machine decides nothing: the same files make the same warehouse everywhere. */

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { difference, rowsOf } from './faults/dump.ts'
import { copyPlace, initPlace, lpaOk, type Place, removePlaces } from './faults/lpa.ts'

/** Times that readers get wrong, and the day of each in Berlin. */
const TIMES = [
  ['1900-01-01T00:00:00Z', '1900-01-01'],
  ['1969-12-31T23:59:59.999Z', '1970-01-01'],
  ['2016-12-31T22:59:59.999999Z', '2016-12-31'],
  ['2026-03-29T01:59:59Z', '2026-03-29'],
  ['2026-10-25T02:30:00+02:00', '2026-10-25'],
  ['2026-10-25T02:30:00+01:00', '2026-10-25'],
  ['2026-06-30T22:00:00Z', '2026-07-01'],
  ['2038-01-19T03:14:08Z', '2038-01-19'],
] as const

let empty: Place
beforeAll(async () => {
  empty = await initPlace('clocks')
  mkdirSync(join(empty.root, 'exports'))
  const lines = TIMES.map(([at], index) =>
    JSON.stringify({
      event_id: `e${index}`,
      event_type: 'viewed',
      learner_id: 'S1',
      course_id: 'C1',
      occurred_at: at,
    }),
  )
  writeFileSync(join(empty.root, 'exports', 'events.ndjson'), `${lines.join('\n')}\n`)
})
afterAll(removePlaces)

async function built(TZ: string): Promise<Place> {
  const place = copyPlace(empty, 'clock')
  const env = { TZ, LPA_WAREHOUSE_TIMEZONE: 'Europe/Berlin' }
  await lpaOk(place, ['load', 'exports', '--quiet'], { env })
  await lpaOk(place, ['batch', '--quiet'], { env })
  return place
}

test('days and instants are those of the configuration, wherever it runs', async () => {
  const [here, there] = [await built('UTC'), await built('Pacific/Apia')]
  expect(await difference(here, there)).toBe('')
  const rows = await rowsOf(here, 'select event_id, date_key from core.fact_learning_event order by event_id')
  expect(rows.map(([, day]) => Number(day))).toEqual(TIMES.map(([, day]) => Number(day.replaceAll('-', ''))))
})
