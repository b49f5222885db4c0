/** The live dashboard from its settings to its end: thread, signals and job control. */

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { glyphsFor } from '../../charts/glyphs.ts'
import type { Config } from '../../config.ts'
import { UserError } from '../../errors.ts'
import { describeTerminal } from '../../output/terminal.ts'
import type { RunningApp } from './app.tsx'
import type { Recall } from './connection.ts'
import type { FromEngine, ToEngine, WorkerOptions } from './messages.ts'
import { Shell, type ShellOptions, type TerminalEffect } from './shell.ts'
import { StoredResults } from './stored-results.ts'
import { isSpoken } from './terminal.ts'
import { themeFor } from './theme.ts'

export interface LiveOptions extends Pick<ShellOptions, 'screens' | 'screen' | 'exportScreen'> {
  readonly config: Config
  /** Files and folders in place of the warehouse. */
  readonly files: readonly string[]
  /** The role that looks; none: the owner. */
  readonly role?: string | undefined
  readonly noColor: boolean
  /** The folder of package.json. */
  readonly root: string
  /** Aborted by signals; the terminal is given back before anything else is done about them. */
  readonly signal: AbortSignal
  /** Takes back what was drawn before anything was imported, until Ink has the terminal. */
  readonly undoSkeleton?: () => void
}

/** How long the engine may take to open, or a report to stop, when the dashboard is left: ended amidst it, it would abort. */
const CLOSE_WITHIN_MS = 3000
const TICK_MS = 1000
/** Within which a signal to the own process arrives. */
const SIGNAL_MS = 20

/**
 * Shows the dashboard until it is left: with `q`, or interrupted with Ctrl-C.
 * @throws the signal's reason, or what makes it impossible to go on; the terminal is as it was by then.
 */
export async function runLive(options: LiveOptions): Promise<'left' | 'interrupted'> {
  const { config, signal } = options
  const { env, stdout, stdin } = process
  const isListenedTo = isSpoken(env)
  const { refreshMs, theme, mouse } = config.dash
  const thread = new Worker(engineThread(options.root), {
    workerData: {
      config,
      files: options.files,
      role: options.role,
      pollMs: refreshMs,
      root: options.root,
    } satisfies WorkerOptions,
  })
  const windowSize = () => ({ width: stdout.columns || 80, height: stdout.rows || 24 })
  const shell = new Shell({
    ...options,
    glyphs: glyphsFor(env, true),
    theme: themeFor(theme, describeTerminal(stdout, env, options.noColor).color),
    size: windowSize(),
    isSpoken: isListenedTo,
    now: Date.now,
    ...(options.files.length === 0 &&
      options.role === undefined && { recall: recallFrom(config, options.root) }),
    send: (message: ToEngine) => thread.postMessage(message),
  })

  const threadEnd = new Promise((resolve) => thread.once('exit', resolve))

  let app: RunningApp | undefined
  const end = Promise.withResolvers<'left' | 'interrupted'>()
  signal.addEventListener('abort', () => end.reject(signal.reason), { once: true })
  if (signal.aborted) end.reject(signal.reason)
  thread.on('message', (message: FromEngine) => {
    if (message.kind !== 'failed') return shell.receive(message)
    const { code, message: text, exit, next } = message.failure
    end.reject(new UserError(code, text, { exit, next }))
  })
  thread.on('error', end.reject)
  // The program's own would print while the alternate screen is shown.
  const others = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', end.reject)
  // In place of the skeleton's.
  process.removeAllListeners('SIGTSTP')
  process.on('SIGTSTP', suspend)
  // Before Ink's own, so that it draws lines of the new size.
  stdout.on('resize', () => shell.resize(windowSize()))
  // The terminal was closed.
  stdin.on('end', () => process.kill(process.pid, 'SIGHUP'))

  let isSuspended = false
  async function suspend(): Promise<void> {
    if (app === undefined || isSuspended) return
    isSuspended = true
    const resume = await app.suspend()
    // All of this job, as Ctrl-Z does. Where no shell could wake it again the system does not stop it: not so with SIGSTOP.
    process.off('SIGTSTP', suspend)
    process.kill(0, 'SIGTSTP')
    // Comes when it goes on.
    await sleep(SIGNAL_MS)
    process.on('SIGTSTP', suspend)
    isSuspended = false
    // The window may have another size now: only the job in the foreground is told of that.
    process.emit('SIGWINCH')
    await resume()
  }

  function onEffect(effect: TerminalEffect): void {
    switch (effect.kind) {
      case 'leave':
        end.resolve(effect.isInterrupted ? 'interrupted' : 'left')
        break
      case 'suspend':
        void suspend()
        break
      case 'copy':
        stdout.write(`\x1b]52;c;${Buffer.from(effect.text).toString('base64')}\x07`)
    }
  }

  const ticking = setInterval(() => shell.tick(), TICK_MS)
  try {
    shell.start()
    const isDrawnOver = options.undoSkeleton !== undefined && !isListenedTo
    // Ink takes as long to be there as all until here.
    if (isDrawnOver) stdout.write(`\x1b[H${shell.lines().join('\x1b[K\r\n')}`)
    const { startApp } = await import('./app.tsx')
    if (!signal.aborted) {
      // It draws from where the cursor is; some terminals do not clear an alternate screen that is shown already.
      if (isDrawnOver) stdout.write('\x1b[?2026h\x1b[H\x1b[J')
      app = startApp({ shell, isSpoken: isListenedTo, hasMouse: mouse, onEffect, onCrash: end.reject })
      if (options.undoSkeleton) process.off('exit', options.undoSkeleton)
    }
    return await end.promise
  } finally {
    clearInterval(ticking)
    app?.leave()
    // What is typed from now on is for the shell.
    stdin.pause()
    if (app === undefined) options.undoSkeleton?.()
    process.off('SIGTSTP', suspend)
    process.removeAllListeners('uncaughtException')
    for (const listener of others) process.on('uncaughtException', listener)
    // The thread closes the warehouse; one that does not come to it ends with the process.
    thread.postMessage({ kind: 'stop' } satisfies ToEngine)
    await Promise.race([threadEnd, sleep(CLOSE_WITHIN_MS)])
  }
}

/** Only what was seen before can be recalled; of files in place of a warehouse, and as a role, nothing is kept. */
function recallFrom(config: Config, root: string): Recall {
  const stored = new StoredResults(config, root)
  return (request) => stored.read(request)
}

function engineThread(root: string): URL | string {
  return import.meta.url.endsWith('.ts')
    ? new URL('./engine-thread.ts', import.meta.url)
    : join(root, 'dist', 'src', 'dash', 'live', 'engine-thread.js')
}
