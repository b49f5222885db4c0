/** The one component: the shell's lines as they are. Everything that Ink would lay out or colour costs a frame more. */

import { Box, render, Text, Transform, useApp, useInput } from 'ink'
import { useEffect, useSyncExternalStore } from 'react'
import { keyNames } from './keys.ts'
import { MOUSE_OFF, MOUSE_ON, mouseReader } from './mouse.ts'
import type { Shell, TerminalEffect } from './shell.ts'

export interface AppOptions {
  readonly shell: Shell
  readonly isSpoken: boolean
  readonly hasMouse: boolean
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
  const mouse = options.hasMouse && !options.isSpoken ? new Mouse(options) : undefined
  const onStart = (suspend: Suspend) => {
    suspendTerminal = suspend
    mouse?.take()
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
    leave() {
      mouse?.release()
      instance.unmount()
    },
    async suspend() {
      mouse?.release()
      const suspension = await suspendTerminal?.()
      return async () => {
        await suspension?.resume()
        mouse?.take()
      }
    },
  }
}

/** Ink knows keys only, and passes over what the mouse reports. */
class Mouse {
  readonly #read = mouseReader()
  readonly #onInput: (input: string) => void

  constructor({ shell, onEffect }: AppOptions) {
    this.#onInput = (input) => {
      for (const event of this.#read(input)) for (const effect of shell.point(event)) onEffect(effect)
    }
  }

  /** Once Ink reads: beside its listener this one gets what is read, and asks for nothing itself. */
  take(): void {
    process.stdout.write(MOUSE_ON)
    process.stdin.on('data', this.#onInput)
    process.on('exit', this.#giveBack)
  }

  release(): void {
    process.stdin.off('data', this.#onInput)
    process.off('exit', this.#giveBack)
    this.#giveBack()
  }

  readonly #giveBack = () => process.stdout.write(MOUSE_OFF)
}

function Window({
  shell,
  isSpoken,
  onEffect,
  onStart,
}: AppOptions & { readonly onStart: (suspend: Suspend) => void }) {
  const { suspendTerminal } = useApp()
  const lines = useSyncExternalStore(shell.subscribe, shell.lines)
  useInput((input, key) => {
    for (const effect of shell.press(keyNames(input, key))) onEffect(effect)
  })
  // After it, so that Ink reads by then.
  useEffect(() => onStart(suspendTerminal), [onStart, suspendTerminal])
  if (isSpoken) return <Text>{lines.join('\n')}</Text>
  return (
    <Box height={lines.length}>
      {/* Ink measures and cuts up the text inside each time: as little as a row needs to be there. */}
      <Transform transform={(_, row) => lines[row] ?? ''}>{lines.map(() => '.').join('\n')}</Transform>
    </Box>
  )
}
