import type { WriteStream } from 'node:tty'
import stringWidth from 'string-width'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { progressLine, terminalProgress } from './progress.ts'

describe('progressLine', () => {
  it.each([
    [{}, 200, 'Reading x'],
    [{ rows: 1200 }, 200, 'Reading x  1.2k rows'],
    [{ rows: 1_234_567 }, 2000, 'Reading x  1.2M rows  617k rows/s  2.0 s'],
    [
      { rows: 1_234_567, bytes: 340_000_000, totalBytes: 1_300_000_000 },
      4000,
      'Reading x  1.2M rows  340 MB of 1.3 GB  26 %  85 MB/s  11 s left',
    ],
    [{ bytes: 999 }, 0, 'Reading x  999 B'],
    [{ bytes: 20, totalBytes: 10 }, 2000, 'Reading x  20 B of 10 B  100 %  10 B/s'],
    [{ share: 0.5 }, 120_000, 'Reading x  50 %  2 min 0 s left'],
  ])('%j after %d ms', (update, elapsedMs, line) => {
    expect(progressLine('Reading x', update, elapsedMs)).toBe(line)
  })

  it('disarms the label', () => {
    expect(progressLine('Reading \x1b[2J', {}, 0)).toBe('Reading \\e[2J')
  })
})

describe('terminalProgress', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  function onTerminal(columns: number) {
    const written: string[] = []
    const stream = { columns, write: (text: string) => written.push(text) } as unknown as WriteStream
    return { written, progress: terminalProgress(stream, () => Date.now()) }
  }

  it('draws at most ten times a second, cut to the width, and erases at the end', () => {
    const { written, progress } = onTerminal(20)
    progress.step('Reading a-very-long-file-name.ndjson')
    for (let row = 0; row < 5000; row++) {
      progress.update({ rows: row })
      if (row % 10 === 0) vi.advanceTimersByTime(1)
    }
    expect(written.length).toBeGreaterThan(0)
    expect(written.length).toBeLessThanOrEqual(5)
    for (const text of written) expect(text.replace('\r\x1b[2K', '').length).toBeLessThan(20)
    progress.done()
    expect(written.at(-1)).toBe('\r\x1b[2K')
    const count = written.length
    vi.advanceTimersByTime(1000)
    expect(written).toHaveLength(count)
  })

  it('never wraps, since a line that did could not be erased', () => {
    const { written, progress } = onTerminal(20)
    progress.step(`Loading ${'東京大学'.repeat(20)}.csv`)
    vi.advanceTimersByTime(200)
    const [line = ''] = written
    expect(stringWidth(line)).toBeLessThan(20)
    expect(stringWidth(line)).toBeGreaterThan(16)
  })

  it('writes nothing for work that ends at once', () => {
    const { written, progress } = onTerminal(80)
    progress.step('Reading')
    progress.update({ rows: 1 })
    progress.done()
    expect(written).toEqual([])
  })

  it('starts each step anew', () => {
    const { written, progress } = onTerminal(80)
    progress.step('One')
    progress.update({ rows: 7 })
    vi.advanceTimersByTime(100)
    progress.step('Two')
    vi.advanceTimersByTime(100)
    expect(written).toEqual(['\r\x1b[2KOne  7 rows', '\r\x1b[2KTwo'])
  })
})
