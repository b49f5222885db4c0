/** The oracle of the stream's tests against what lpa makes of the same events from a file. */

import { expect, test } from 'vitest'
import { TryWarehouse } from '../../try-warehouse.ts'
import { eventMessages, expectedOf } from './events.ts'

const OPTIONS = { seed: 7, count: 3000, duplicates: 100, disorder: 50, nullKeys: 20 }

test('lpa reads the events as the oracle does', async () => {
  const messages = [...eventMessages(OPTIONS)]
  const expected = expectedOf(messages)
  expect(expected).toMatchObject({ messages: messages.length, poison: 0, tombstones: 0 })
  expect(expected.ids.size).toBe(OPTIONS.count)
  expect(expected.doubled).toBeGreaterThan(200)
  using warehouse = await TryWarehouse.create()
  const file = warehouse.write('events.ndjson', messages.map(({ value }) => `${value}\n`).join(''))
  await warehouse.load(file)
  await warehouse.build()
  const rows = await warehouse.rows(
    'select course_id, count(*)::int from fact_learning_event join dim_course using (course_key) where is_current group by all',
  )
  expect(new Map(rows as [string, number][])).toEqual(expected.byCourse)
})

test('the same seed makes the same messages, with the shares that were asked for', () => {
  const options = { ...OPTIONS, poison: 30, tombstones: 30 }
  const messages = [...eventMessages(options)]
  expect([...eventMessages(options)]).toEqual(messages)
  const { ids, doubled, poison, tombstones } = expectedOf(messages)
  expect(ids.size).toBe(3000)
  for (const [found, perMille] of [
    [doubled, 100],
    [poison, 33],
    [tombstones, 33],
  ] as const) {
    expect(found).toBeGreaterThan(perMille * 2)
    expect(found).toBeLessThan(perMille * 4)
  }
  const times = messages.map(({ timestamp }) => timestamp)
  expect(times).not.toEqual(times.toSorted((a, b) => a - b))
  expect(messages.filter(({ key }) => key === null).length).toBeGreaterThan(20)
})
