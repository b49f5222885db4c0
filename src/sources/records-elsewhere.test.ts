import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { NOBODY } from './erased.ts'
import { type FileRequest, stagedFolder } from './files.ts'
import { readMapping } from './mapping.ts'
import { writeSealed } from './records-elsewhere.test-support.ts'
import { stageRecords } from './records-elsewhere.ts'
import { StageFolder, testKey } from './stage.test-support.ts'

const LINES = Array.from({ length: 10 }, (_, number) =>
  JSON.stringify({
    ...{ event_id: `e-${number}`, event_type: 'viewed', learner_id: `S${number}`, course_id: 'course-1' },
    ...{ occurred_at: '2026-03-02T09:00:00Z', activity_id: number === 3 ? '203.0.113.7' : 'x'.repeat(400) },
  }),
)

it('what was sealed is opened a page at a time, each record once, and leaves nothing behind', async () => {
  using folder = new StageFolder()
  const mapping = readMapping('campus_learning_event')
  let loads = 0
  const request: FileRequest = {
    ...{ mappings: ['campus_learning_event'], source: 'test', idSpace: 'test', key: testKey, erased: NOBODY },
    ...{ timezone: 'UTC', memoryLimit: '300MB', scratch: folder.path, signal: new AbortController().signal },
    nextLoadId: async () => ++loads,
  }
  const file = join(folder.path, 'sealed-by-spark.parquet')
  await writeSealed(file, LINES, mapping, request)
  const elsewhere = { files: [file], mapping, uri: 'dir:in', identity: 'a:0', isPlaced: false }
  for (const [pageBytes, pages] of [
    [1_000_000, 1],
    [2600, 3],
  ] as const) {
    const { staged, sealed } = await stageRecords(elsewhere, request, pageBytes)
    expect([sealed, staged.length]).toEqual([10, pages])
    const sum = (of: 'read' | 'mapped' | 'rejected') =>
      staged.reduce((total, { batch }) => total + batch.load.counts[of], 0)
    expect([sum('read'), sum('mapped'), sum('rejected')]).toEqual([10, 9, 1])
    const first = Math.min(...staged.map(({ batch }) => batch.load.loadId))
    expect(existsSync(stagedFolder(folder.path, first - 1))).toBe(false)
  }
}, 60_000)
