/** A program in a terminal that nothing draws: bytes in, bytes out, and what it costs. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** What was written at once, milliseconds after the start. */
export interface Piece {
  readonly at: number
  readonly text: string
}

/** Dependable to a fraction of a millisecond, unlike a terminal that also draws. */
export class BareTerminal {
  readonly #child: ChildProcess
  readonly #startedAt = performance.now()
  readonly #pieces: Piece[] = []
  #text = ''
  #listener: () => void = () => {}

  /** util-linux's `script` makes the terminal. */
  constructor(
    command: string,
    folder: string,
    env: Readonly<Record<string, string>> = {},
    { columns, rows } = { columns: 120, rows: 40 },
  ) {
    const { CI: _, ...own } = process.env
    this.#child = spawn(
      'script',
      ['-qefc', `stty cols ${columns} rows ${rows}; exec ${command}`, '/dev/null'],
      {
        cwd: folder,
        env: { ...own, LANG: 'C.UTF-8', TERM: 'xterm-256color', SHELL: '/bin/sh', ...env },
        stdio: ['pipe', 'pipe', 'ignore'],
      },
    )
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#text += text
      this.#pieces.push({ at: performance.now() - this.#startedAt, text })
      this.#listener()
    })
  }

  /** All that was written so far. */
  get text(): string {
    return this.#text
  }

  get pieces(): readonly Piece[] {
    return this.#pieces
  }

  type(keys: string): void {
    this.#child.stdin?.write(keys)
  }

  /** Milliseconds from the start until this was written. */
  async shows(wanted: string | RegExp): Promise<number> {
    await this.#until(() =>
      typeof wanted === 'string' ? this.#text.includes(wanted) : wanted.test(this.#text),
    )
    return performance.now() - this.#startedAt
  }

  /** Milliseconds from a key to the first bytes that it brings. */
  async press(key: string): Promise<number> {
    const before = this.#text.length
    const pressedAt = performance.now()
    this.type(key)
    await this.#until(() => this.#text.length > before)
    return performance.now() - pressedAt
  }

  /** Waits until nothing was written for so long. */
  async settles(quietMs = 300): Promise<void> {
    for (let before = -1; before !== this.#text.length; ) {
      before = this.#text.length
      await new Promise((resolve) => setTimeout(resolve, quietMs))
    }
  }

  /** The program's process, which the terminal's shell has become. */
  get pid(): number {
    return Number(spawnSync('pgrep', ['-P', `${this.#child.pid}`], { encoding: 'utf8' }).stdout.trim())
  }

  /** Milliseconds of CPU so far: of all threads, and of the first one, which draws. */
  get cpu(): { readonly all: number; readonly drawing: number } {
    const { pid } = this
    const ofThread = (id: string) =>
      Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'utf8').split(' ')[0]) / 1e6
    const threads = readdirSync(`/proc/${pid}/task`)
    return { all: threads.reduce((sum, id) => sum + ofThread(id), 0), drawing: ofThread(`${pid}`) }
  }

  /** Resident memory at its highest, MB. */
  get peakMegabytes(): number {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1]) / 1024
  }

  async end(key = 'q'): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve))
    this.type(key)
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 5000)
    await ended
    clearTimeout(timer)
  }

  #until(holds: () => boolean): Promise<void> {
    if (holds()) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`Waited in vain:\n${this.#text.slice(-2000)}`)), 20_000)
      this.#listener = () => {
        if (!holds()) return
        clearTimeout(timer)
        this.#listener = () => {}
        resolve()
      }
    })
  }
}
