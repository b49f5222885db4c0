/** `lpa dash` on a terminal, without oclif: its import would take longer than everything until the first frame. */

import { parseArgs } from 'node:util'
import { loadConfig } from '../../config.ts'
import { EXIT, STOP_SIGNALS } from '../../errors.ts'
import { exitWhenWritten, watchOutputs } from '../../exit.ts'
import { reportFailure } from '../../failure.ts'
import { rememberSecretVariables } from '../../secrets.ts'
import { SCREENS } from '../screens/index.ts'
import { runLive } from './live.ts'
import { isLiveTerminal } from './terminal.ts'

interface StartOptions {
  /** The folder of package.json. */
  readonly root: string
  /** Takes back what bin/run.js has drawn. */
  readonly undoSkeleton: () => void
}

/** Runs the dashboard and ends the process; returns when the command line needs the command itself to be read. */
export async function startLive({ root, undoSkeleton }: StartOptions): Promise<void> {
  const argv = process.argv.slice(3)
  const asked = readArguments(argv)
  // As a role it is recorded who looked, which the command does.
  const isOwner = process.env.LPA_ROLE === undefined
  if (asked === undefined || !isOwner || !isLiveTerminal(process.env)) {
    for (const signal of [...Object.keys(STOP_SIGNALS), 'SIGTSTP']) process.removeAllListeners(signal)
    return undoSkeleton()
  }
  watchOutputs()
  rememberSecretVariables(process.env)
  const stop = new AbortController()
  let stoppedBy: number | undefined
  for (const [signal, code] of Object.entries(STOP_SIGNALS)) {
    const others = process.listeners(signal as NodeJS.Signals)
    process.on(signal, () => {
      stoppedBy ??= code
      stop.abort()
    })
    // In place of the skeleton's, and after it: without any listener a signal ends the process as it is.
    for (const other of others) process.off(signal, other)
  }
  let code: number
  try {
    const how = await runLive({
      screens: SCREENS,
      screen: asked.screen ?? 'overview',
      config: loadConfig({
        cwd: process.cwd(),
        env: process.env,
        flags: {
          config: asked.config,
          profile: asked.profile,
          settings: { 'dash.refresh': asked.refresh, 'dash.mouse': asked.mouse ? 'true' : undefined },
        },
      }),
      files: asked.files,
      noColor: asked['no-color'] ?? false,
      exportScreen: async (screen, panels, view) => {
        const { exportPage } = await import('../export.ts')
        return exportPage(screen, panels, view)
      },
      root,
      signal: stop.signal,
      undoSkeleton,
    })
    code = how === 'interrupted' ? EXIT.sigint : EXIT.done
  } catch (error) {
    // Where it failed before there was a dashboard.
    undoSkeleton()
    code = stoppedBy ?? reportFailure(error, argv)
  }
  await exitWhenWritten(code)
}

/** The flags that concern the live dashboard; undefined for any other, and for what is wrong. */
function readArguments(args: string[]) {
  const [text, toggle] = [{ type: 'string' }, { type: 'boolean' }] as const
  try {
    const { values, positionals } = parseArgs({
      ...{ args, allowPositionals: true },
      options: {
        ...{ screen: text, refresh: text, config: text, profile: text },
        ...{ mouse: toggle, 'no-color': toggle },
      },
    })
    const { screen } = values
    const isKnown = screen === undefined || SCREENS.some(({ name }) => name === screen)
    return isKnown ? { ...values, files: positionals } : undefined
  } catch {
    return undefined
  }
}
