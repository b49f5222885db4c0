import { LONGEST_TIMER_MS } from './duration.ts'
import type { Result, ResultStream } from './types.ts'

/**
 * Calls `onOver` once, when `limitMs` have passed (0: never), unless it is disposed of before. The time in which the
 * rows' reader works, or keeps a pipe waiting, does not count.
 */
export class TimeLimit implements Disposable {
  readonly #onOver: () => void
  #leftMs: number
  #since = 0
  #timer: NodeJS.Timeout | undefined

  constructor(limitMs: number, onOver: () => void) {
    this.#leftMs = limitMs === 0 ? Number.POSITIVE_INFINITY : limitMs
    this.#onOver = onOver
    this.#resume()
  }

  pausedByReader(rows: Result | ResultStream): Result | ResultStream {
    return 'chunks' in rows ? { ...rows, chunks: this.#paused(rows.chunks) } : rows
  }

  async *#paused<T>(chunks: AsyncIterable<T>): AsyncIterable<T> {
    for await (const chunk of chunks) {
      this.#pause()
      yield chunk
      this.#resume()
    }
  }

  #resume(): void {
    this.#since = performance.now()
    if (this.#leftMs <= LONGEST_TIMER_MS) this.#timer = setTimeout(this.#onOver, Math.max(0, this.#leftMs))
  }

  #pause(): void {
    clearTimeout(this.#timer)
    this.#leftMs -= performance.now() - this.#since
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }
}
