import { expect, test } from 'vitest'
import { runsByRow } from './record-id.ts'

test('rows tell their offsets when some records could not be read at all', () => {
  const places = [
    { record: 1, id: 'a-0', offset: 10 },
    { record: 4, id: 'a-1', offset: 100 },
  ]
  const broken = [{ record: 2 }, { record: 4 }, { record: 6 }]
  const runs = runsByRow(places, broken)
  const offsets: string[] = []
  let row = 0
  for (let record = 1; record <= 8; record += 1) {
    if (broken.some((one) => one.record === record)) continue
    row += 1
    const run = runs.findLast((one) => one.row <= row)
    offsets.push(`${run?.id}-${(run?.offset ?? 0) + row - (run?.row ?? 0)}`)
  }
  expect(offsets).toEqual(['a-0-10', 'a-0-12', 'a-1-101', 'a-1-103', 'a-1-104'])
})
