import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { TimeLimit } from './time-limit.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test('tells once when the time is over', () => {
  const over = vi.fn()
  using _limit = new TimeLimit(1000, over)
  vi.advanceTimersByTime(999)
  expect(over).not.toHaveBeenCalled()
  vi.advanceTimersByTime(5000)
  expect(over).toHaveBeenCalledOnce()
})

test('tells nothing after its end, nor with 0, nor when it is longer than a timer can be', () => {
  const over = vi.fn()
  {
    using _limit = new TimeLimit(1000, over)
  }
  using _none = new TimeLimit(0, over)
  using _long = new TimeLimit(40 * 86_400_000, over)
  vi.advanceTimersByTime(86_400_000)
  expect(over).not.toHaveBeenCalled()
})

test('does not count the time in which the rows are read', async () => {
  const over = vi.fn()
  using limit = new TimeLimit(1000, over)
  async function* chunks() {
    for (let row = 0; row < 3; row += 1) {
      vi.advanceTimersByTime(300)
      yield [[row]]
    }
    vi.advanceTimersByTime(99)
    expect(over).not.toHaveBeenCalled()
    vi.advanceTimersByTime(2)
  }
  const rows = limit.pausedByReader({ columns: [], chunks: chunks() })
  if (!('chunks' in rows)) throw new Error('Rows come in chunks.')
  for await (const _ of rows.chunks) vi.advanceTimersByTime(60_000)
  expect(over).toHaveBeenCalledOnce()
})
