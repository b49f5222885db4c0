/**
 * DuckDB does not count what some functions take for one value (printf, list_transform, levenshtein), so its own limit
 * does not hold them: this looks at the process from outside.
 */

const EVERY_MS = 200
/** Of Node and of the engine beside what it counts. */
const BESIDE_BYTES = 424 * 1024 * 1024
const UNITS: Readonly<Record<string, number>> = { k: 1, m: 2, g: 3, t: 4 }

/** Calls `onOver` once when the process has more memory outside JavaScript than the engine's limit and its due beside it. */
export class MemoryWatch implements Disposable {
  readonly #timer: NodeJS.Timeout

  /** `limit` as in the settings: `600MB`, `2GiB`. */
  constructor(limit: string, onOver: () => void) {
    const most = bytesOf(limit) + BESIDE_BYTES
    this.#timer = setInterval(() => {
      const { rss, heapTotal, external } = process.memoryUsage()
      if (rss - heapTotal - external <= most) return
      clearInterval(this.#timer)
      onOver()
    }, EVERY_MS).unref()
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}

function bytesOf(size: string): number {
  const [, number = '0', unit = '', binary = ''] = /^([\d.]+)\s*([KMGT])(i?)B$/i.exec(size) ?? []
  return Number(number) * (binary === '' ? 1000 : 1024) ** (UNITS[unit.toLowerCase()] ?? 0)
}
