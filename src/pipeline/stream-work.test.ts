import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { TryWarehouse } from '../../test/try-warehouse.ts'
import { rotateKey } from '../key-rotation.ts'
import { createKey, readKey } from '../pseudonym.ts'
import { StreamStatus } from './stream-status.ts'
import { StreamWork, type StreamWorkOptions } from './stream-work.ts'
import { withWarehouse } from './warehouse.ts'

it('a key that was replaced while a stream runs ends it, before anything more is committed under the old one', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lpa-stream-key-'))
  try {
    const keyFile = join(folder, 'pseudonym.key')
    createKey(keyFile)
    const work = new StreamWork({
      config: { privacy: { keyFile } },
      fileRequest: { key: readKey(keyFile) },
    } as unknown as StreamWorkOptions)
    expect(() => work.assertKey()).not.toThrow()
    rotateKey(keyFile)
    expect(() => work.assertKey()).toThrow(
      expect.objectContaining({ code: 'LPA-STREAM-KEY', exit: 'config' }),
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

it('checks run every five minutes, take a tenth of the time at most, and while records wait run every hour only', async () => {
  using warehouse = await TryWarehouse.create()
  const event = (id: string) =>
    JSON.stringify({ ...{ event_id: id, event_type: 'viewed', learner_id: 'S1', course_id: 'C1' }, ...AT })
  const AT = { occurred_at: '2026-03-02T08:00:00Z' }
  vi.useFakeTimers({ toFake: ['Date'] })
  try {
    await withWarehouse(warehouse.config, 'write', new AbortController().signal, async (engine) => {
      const work = new StreamWork({
        ...{ config: warehouse.config, engine, runId: 'test', status: new StreamStatus('test', 'records') },
        progress: { onNote: () => {}, onDone: () => {} },
      } as unknown as StreamWorkOptions)
      const checks = async () => Number((await engine.query('select count(*) from meta.checks')).rows[0]?.[0])
      let events = 0
      let before = -1
      /** Whether checks run with a commit so many seconds after the last one. */
      const checked = async (seconds: number, isBehind = false) => {
        vi.setSystemTime(Date.now() + 1000 * seconds)
        const now = await checks()
        if (now !== before) {
          events += 1
          await warehouse.load(warehouse.write(`${events}.ndjson`, event(`e${events}`)))
        }
        before = now
        await work.committed(() => isBehind)
        return (await checks()) > before
      }
      expect(await checked(0)).toBe(false)
      expect(await checked(299)).toBe(false)
      expect(await checked(1)).toBe(true)
      expect(await checked(301, true)).toBe(false)
      expect(await checked(3200, true)).toBe(false)
      expect(await checked(99, true)).toBe(true)
      // Each look at the clock finds it a minute further: so long at least do checks take now.
      let now = performance.now()
      const clock = vi.spyOn(performance, 'now').mockImplementation(() => {
        now += 60_000
        return now
      })
      expect(await checked(300)).toBe(true)
      clock.mockRestore()
      expect(await checked(599)).toBe(false)
      expect(await checked(60_000)).toBe(true)
    })
  } finally {
    vi.useRealTimers()
    vi.restoreAllMocks()
  }
}, 60_000)
