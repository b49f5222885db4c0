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

/** Nothing of it is read here but that it is there. */
const EMPTY_LOAD = `
  insert into meta.loads
  values ($load_id, 'test', 'campus', 'none', 'none', 0, 0, 0, 0, 0, 0, 'none', 'none', null, now()::timestamp,
    now()::timestamp, null)`

it('checks run every five minutes, take a tenth of the time at most, and while records wait run every hour only', async () => {
  using warehouse = await TryWarehouse.create()
  vi.useFakeTimers({ toFake: ['Date'] })
  try {
    await withWarehouse(warehouse.config, 'write', new AbortController().signal, async (engine) => {
      const work = new StreamWork({
        ...{ config: warehouse.config, engine, runId: 'test', status: new StreamStatus('test', 'records') },
        progress: { onNote: () => {}, onDone: () => {} },
      } as unknown as StreamWorkOptions)
      const checks = async () => Number((await engine.query('select count(*) from meta.checks')).rows[0]?.[0])
      let loads = 0
      let before = -1
      /** Whether checks run with a commit so many seconds after the last one. */
      const checked = async (seconds: number, isBehind = false) => {
        vi.setSystemTime(Date.now() + 1000 * seconds)
        const now = await checks()
        if (now !== before) {
          loads += 1
          await engine.transaction(() => engine.execute(EMPTY_LOAD, { load_id: loads }))
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
