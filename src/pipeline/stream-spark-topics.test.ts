import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { assertSameTopics } from './stream-spark-topics.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lpa-topics-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const run = (ids: Record<string, string>) =>
  assertSameTopics(join(folder, 'topics.json'), new Map(Object.entries(ids)), 'kafka://host:9092/a,b')

it('are those of the run before, unless one was made anew', async () => {
  await run({ a: 'one' })
  await run({ a: 'one', b: 'two' })
  await run({ a: 'one', b: 'two' })
  const recreated = { code: 'LPA-STREAM-RECREATED', exit: 'data', where: 'kafka://host:9092/a,b' }
  for (let time = 0; time < 2; time += 1)
    await expect(run({ a: 'one', b: 'three' })).rejects.toMatchObject(recreated)
})

it('are written where others have come only, and whole', async () => {
  const inode = () => statSync(join(folder, 'topics.json')).ino
  await run({ a: 'one' })
  const first = inode()
  await run({ a: 'one' })
  expect(inode()).toBe(first)
  await run({ a: 'one', b: 'two' })
  expect(inode()).not.toBe(first)
  expect(readdirSync(folder)).toEqual(['topics.json'])
})
