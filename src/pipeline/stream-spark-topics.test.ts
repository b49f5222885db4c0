import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { assertSameTopics } from './stream-spark-topics.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-topics-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

it('are those of the run before, unless one was made anew', () => {
  const run = (ids: Record<string, string>) =>
    assertSameTopics(join(folder, 'topics.json'), new Map(Object.entries(ids)), 'kafka://host:9092/a,b')
  run({ a: 'one', b: 'two' })
  run({ a: 'one', b: 'two' })
  const recreated = { code: 'LPA-STREAM-RECREATED', exit: 'data', where: 'kafka://host:9092/a,b' }
  for (let time = 0; time < 2; time += 1)
    expect(() => run({ a: 'one', b: 'three' })).toThrow(expect.objectContaining(recreated))
})
