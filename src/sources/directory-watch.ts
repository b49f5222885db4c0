/** Wakes who looks at a directory when something in it changes, where the system tells: of a network mount it tells nothing. */

import { type FSWatcher, watch } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

interface Watched {
  readonly identity: string
  /** None where the system refused, as it does for too many. */
  readonly watcher: FSWatcher | undefined
}

export class DirectoryWatch implements Disposable {
  readonly #watched = new Map<string, Watched>()
  #hasChanged = false
  #wake = () => {}

  /**
   * Watches these folders, each by its path with what says that it is still the same, and no others.
   * @returns whether one of them is watched from now on only: something may have changed since it was looked at
   */
  follow(folders: ReadonlyMap<string, string>): boolean {
    for (const [path, { identity, watcher }] of this.#watched) {
      if (folders.get(path) === identity) continue
      watcher?.close()
      this.#watched.delete(path)
    }
    let isNew = false
    for (const [path, identity] of folders) {
      if (this.#watched.has(path)) continue
      const watched = { identity, watcher: this.#watch(path) }
      this.#watched.set(path, watched)
      isNew ||= watched.watcher !== undefined
    }
    return isNew
  }

  #watch(path: string): FSWatcher | undefined {
    try {
      const watcher = watch(path, { persistent: false }, () => this.#tell())
      // It is gone: the next look tells what there is.
      return watcher.on('error', () => this.#tell())
    } catch {
      return undefined
    }
  }

  #tell(): void {
    this.#hasChanged = true
    this.#wake()
  }

  /** Waits until something changes, or has since the last time: at least and at most so long. */
  async pause(leastMs: number, mostMs: number, signal: AbortSignal): Promise<void> {
    await sleep(leastMs, undefined, { signal })
    if (!this.#hasChanged && mostMs > leastMs) await this.#change(mostMs - leastMs, signal)
    this.#hasChanged = false
  }

  async #change(ms: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const wake = () => resolve()
    this.#wake = wake
    const timer = setTimeout(wake, ms)
    signal.addEventListener('abort', wake)
    await promise
    signal.removeEventListener('abort', wake)
    clearTimeout(timer)
    signal.throwIfAborted()
  }

  [Symbol.dispose](): void {
    for (const { watcher } of this.#watched.values()) watcher?.close()
    this.#watched.clear()
  }
}
