/** Writes one export file piece by piece: two large buffers, one filled while the other is written. */
import { createWriteStream } from 'node:fs'
import { stat, unlink } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { createGzip, createZstdCompress } from 'node:zlib'

export type Compression = 'gz' | 'zst'

const chunkBytes = 1 << 20
/** No single piece of text may be longer than this in UTF-8. */
const slackBytes = 1 << 16

export class ExportFile {
  readonly path: string
  rows = 0
  bad = 0
  readonly #head: Writable
  readonly #closed: Promise<void>
  #buffer = Buffer.allocUnsafe(chunkBytes + slackBytes)
  #spare = Buffer.allocUnsafe(chunkBytes + slackBytes)
  #used = 0
  #writing: Promise<void> = Promise.resolve()

  /** Fails when the file exists: exports are never overwritten. */
  constructor(path: string, compression?: Compression) {
    this.path = path
    const disk = createWriteStream(path, { flags: 'wx', mode: 0o600 })
    const compressor =
      compression === 'gz'
        ? createGzip({ level: 6 })
        : compression === 'zst'
          ? createZstdCompress()
          : undefined
    this.#head = compressor ?? disk
    this.#closed = compressor === undefined ? finished(disk) : pipeline(compressor, disk)
    this.#closed.catch(() => {}) // told by drain() or close()
  }

  /** Adds text; when `full` says so, `await drain()` before more. */
  write(text: string): void {
    this.#used += this.#buffer.write(text, this.#used)
  }

  get full(): boolean {
    return this.#used >= chunkBytes
  }

  async drain(): Promise<void> {
    await this.#writing
    const filled = this.#buffer
    const piece = filled.subarray(0, this.#used)
    this.#buffer = this.#spare
    this.#spare = filled
    this.#used = 0
    this.#writing = new Promise((resolve, reject) => {
      this.#head.write(piece, (error) => (error ? reject(error) : resolve()))
    })
    this.#writing.catch(() => {}) // told by the next drain() or close()
  }

  /** Writes the rest; answers the size of the file. */
  async close(): Promise<number> {
    await this.drain()
    await this.#writing
    this.#head.end()
    await this.#closed
    return (await stat(this.path)).size
  }

  /** Gives up and takes the unfinished file away. */
  async discard(): Promise<void> {
    this.#head.destroy()
    await this.#closed.catch(() => {})
    await unlink(this.path).catch(() => {})
  }
}
