/** The one component: the shell's lines as they are. Everything that Ink would lay out or colour costs a frame more. */

import { Box, render, Text, Transform, useApp, useInput } from 'ink'
import { useEffect, useSyncExternalStore } from 'react'
import { keyNames } from './keys.ts'
import type { Shell, TerminalEffect } from './shell.ts'

export interface AppOptions {
  readonly shell: Shell
  readonly isSpoken: boolean
  readonly onEffect: (effect: TerminalEffect) => void
  readonly onCrash: (error: unknown) => void
}

export interface RunningApp {
  /** Gives the terminal back as it was before. */
  leave(): void
  /** The same for a while; answers what takes it again. */
  suspend(): Promise<() => Promise<void>>
}

type Suspend = ReturnType<typeof useApp>['suspendTerminal']

/** Takes the terminal. */
export function startApp(options: AppOptions): RunningApp {
  let suspendTerminal: Suspend | undefined
  const onStart = (suspend: Suspend) => {
    suspendTerminal = suspend
  }
  const instance = render(<Window {...options} onStart={onStart} />, {
    alternateScreen: !options.isSpoken,
    incrementalRendering: true,
    maxFps: 60,
    patchConsole: false,
    exitOnCtrlC: false,
    interactive: true,
    isScreenReaderEnabled: options.isSpoken,
  })
  instance.waitUntilExit().catch(options.onCrash)
  return {
    leave: () => instance.unmount(),
    async suspend() {
      const suspension = await suspendTerminal?.()
      return async () => suspension?.resume()
    },
  }
}

function Window({
  shell,
  isSpoken,
  onEffect,
  onStart,
}: AppOptions & { readonly onStart: (suspend: Suspend) => void }) {
  const { suspendTerminal } = useApp()
  const lines = useSyncExternalStore(shell.subscribe, shell.lines)
  useEffect(() => onStart(suspendTerminal), [onStart, suspendTerminal])
  useInput((input, key) => {
    for (const effect of shell.press(keyNames(input, key))) onEffect(effect)
  })
  if (isSpoken) return <Text>{lines.join('\n')}</Text>
  return (
    <Box height={lines.length}>
      {/* Ink measures and cuts up the text inside each time: as little as a row needs to be there. */}
      <Transform transform={(_, row) => lines[row] ?? ''}>{lines.map(() => '.').join('\n')}</Transform>
    </Box>
  )
}
