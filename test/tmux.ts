/** A real terminal for tests: a tmux server of its own with one window, and a shell in it. */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from './faults/until.ts'

/** Why there is no such terminal here, or nothing when there is. */
export function noTmux(): string | undefined {
  return spawnSync('tmux', ['-V']).error ? 'there is no tmux: apt-get install tmux' : undefined
}

export interface TmuxOptions {
  readonly folder: string
  readonly columns?: number
  readonly rows?: number
  readonly env?: Readonly<Record<string, string>>
}

let count = 0

export class Tmux implements Disposable {
  readonly #socket: string
  readonly #own: string
  readonly #written: string

  constructor({ folder, columns = 100, rows = 30, env = {} }: TmuxOptions) {
    count += 1
    this.#socket = `lpa-test-${process.pid}-${count}`
    this.#own = mkdtempSync(join(tmpdir(), 'lpa-tmux-'))
    this.#written = join(this.#own, 'written')
    // No history: the shell would write it while a test takes its folder away.
    const variables = { LANG: 'C.UTF-8', HISTFILE: '/dev/null', ...env }
    this.run(
      ...['-f', '/dev/null', '-u', 'new-session', '-d', '-c', folder, '-x', `${columns}`, '-y', `${rows}`],
      ...Object.entries(variables).flatMap(([name, value]) => ['-e', `${name}=${value}`]),
      'bash --norc --noprofile',
    )
    this.run('set-option', '-s', 'set-clipboard', 'on')
    this.run('set-option', '-s', 'escape-time', '0')
    this.run('pipe-pane', '-O', `cat >> '${this.#written}'`)
  }

  run(...words: string[]): string {
    // CI says to programs that nobody looks at a terminal.
    const { CI: _, TMUX: __, ...env } = process.env
    const { stdout, stderr, status } = spawnSync('tmux', ['-L', this.#socket, ...words], {
      encoding: 'utf8',
      env,
    })
    if (status !== 0) throw new Error(`tmux ${words.join(' ')}: ${stderr}`)
    return stdout
  }

  /** Keys by tmux's names (`Enter`, `C-z`, `Down`); other words as they are. */
  press(...keys: string[]): void {
    this.run('send-keys', ...keys)
  }

  type(text: string): void {
    this.run('send-keys', '-l', text)
  }

  /** A line for the shell. */
  enter(line: string): void {
    this.type(line)
    this.press('Enter')
  }

  get screen(): string {
    return this.run('capture-pane', '-p')
  }

  get lines(): readonly string[] {
    return this.screen.split('\n').slice(0, -1)
  }

  /** A variable of the pane: `alternate_on`, `cursor_flag`. */
  is(variable: string): boolean {
    return this.run('display-message', '-p', `#{${variable}}`).trim() === '1'
  }

  get paneProcess(): number {
    return Number(this.run('display-message', '-p', '#{pane_pid}'))
  }

  /** All that programs have written to the terminal so far. */
  get written(): string {
    try {
      return readFileSync(this.#written, 'utf8')
    } catch {
      return ''
    }
  }

  get clipboard(): string {
    return this.run('show-buffer')
  }

  resize(columns: number, rows: number): void {
    this.run('resize-window', '-x', `${columns}`, '-y', `${rows}`)
  }

  /** Waits until the screen holds this. */
  async shows(wanted: string | RegExp): Promise<void> {
    let screen = ''
    const holds = () => {
      screen = this.screen
      return typeof wanted === 'string' ? screen.includes(wanted) : wanted.test(screen)
    }
    await until(holds, `${wanted} on the screen`).catch((error) => {
      throw new Error(`${error.message}\n${screen}`)
    })
  }

  /** Waits until nothing more is written, and answers how many bytes there are. */
  async settles(quietMs = 300): Promise<number> {
    let before = -1
    for (;;) {
      const now = this.written.length
      if (now === before) return now
      before = now
      await new Promise((resolve) => setTimeout(resolve, quietMs))
    }
  }

  [Symbol.dispose](): void {
    try {
      this.run('kill-server')
    } catch {
      // Its last window was closed, which ends it.
    }
    rmSync(this.#own, { recursive: true, force: true })
  }
}
