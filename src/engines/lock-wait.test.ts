import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { listenForWords } from '../words.ts'
import { takeWriterLock } from './duckdb/writer-lock.ts'

test('who waits for another run says so once, and not of a short wait', async () => {
  const said: string[] = []
  listenForWords({ warn: (line) => said.push(`warning: ${line}`), note: (line) => said.push(line) })
  const folder = mkdtempSync(join(tmpdir(), 'lpa-wait-'))
  using held = await takeWriterLock(folder, 0)
  await expect(takeWriterLock(folder, 300)).rejects.toMatchObject({ exit: 'locked' })
  expect(said).toEqual([])
  await expect(takeWriterLock(folder, 3000)).rejects.toMatchObject({ exit: 'locked' })
  expect(said).toEqual(['Another run is writing to the warehouse. Waiting for it, 3s at most.'])
  held.release()
  rmSync(folder, { recursive: true })
})
